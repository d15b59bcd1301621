"""What all edges share: how a view finds the Core, and which blueprints there are."""

from typing import cast

from flask import Flask, current_app

from app.services.core import Core


def core() -> Core:
    """The Core of the application that serves the current request."""
    return cast(Core, current_app.extensions["skerry"])


def install(app: Flask, parts: Core) -> None:
    """Wrap the WSGI application in what routing needs, then register every blueprint."""
    from app import dashboard, health, middleware
    from app.api import git_http, gitlab_v4

    middleware.install(app, parts.config)
    health.init_app(app)
    gitlab_v4.init_app(app)
    git_http.init_app(app)
    dashboard.init_app(app)
