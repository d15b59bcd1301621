"""Git over HTTP: clone, fetch and push."""

from flask import Flask

from app.api.git_http import views


def init_app(app: Flask) -> None:
    """Register the blueprints."""
    app.register_blueprint(views.blueprint)
