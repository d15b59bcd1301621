"""The runner protocol, server side (gitlab.md part A): what gitlab-runner and skerry-runner speak."""

from flask import Flask

from app.api.gitlab_v4.runner import artifacts, errors, jobs, poll, registration


def init_app(app: Flask) -> None:
    """Register the blueprints below /api/v4."""
    for module in (registration, poll, jobs, artifacts):
        errors.install(module.blueprint)
        app.register_blueprint(module.blueprint, url_prefix="/api/v4")
