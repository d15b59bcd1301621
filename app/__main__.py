"""`python -m app` is `skerry`."""

from app.cli import main

main()
