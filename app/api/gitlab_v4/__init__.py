"""GitLab's REST API v4 and its runner protocol."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the blueprints."""
