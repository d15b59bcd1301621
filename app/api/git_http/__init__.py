"""Git over HTTP: clone, fetch and push."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the blueprints."""
