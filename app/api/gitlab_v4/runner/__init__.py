"""The runner protocol, server side (gitlab.md part A): what gitlab-runner and skerry-runner speak."""

from flask import Flask

from app.api.gitlab_v4.runner import artifacts, errors, jobs, poll, registration
from app.api.gitlab_v4.runner.trace_entrance import TraceEntrance

_BLUEPRINTS = tuple(module.blueprint for module in (registration, poll, jobs, artifacts))
for _blueprint in _BLUEPRINTS:
    errors.install(_blueprint)


def init_app(app: Flask) -> None:
    """Register the blueprints below /api/v4, and the entrance before them."""
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint, url_prefix="/api/v4")
    app.wsgi_app = TraceEntrance(app, app.wsgi_app)  # type: ignore[method-assign]
