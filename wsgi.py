"""The entry for gunicorn and other WSGI servers: `gunicorn wsgi:app`. `skerry serve` is the same with the right
settings.
"""

from app import create_app

app = create_app()
