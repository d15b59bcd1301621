"""Puts the parts together: the one place, with `create_app`, that imports every layer."""

from flask import Flask

from app import crypto, dashboard
from app.api import candor, git_http, gitlab_v4, layerci_v1, wercker_v3
from app.config import Config
from app.events import create_bus
from app.extensions import csrf, db, login_manager
from app.git.repositories import Repositories
from app.http import discovery, health, middleware, static_files
from app.http.caller_of_request import caller
from app.models import prepare_sqlite
from app.models.connections import check_connections
from app.services.core import Core
from app.storage import create_artifact_store, create_trace_store


def build_core(app: Flask, config: Config) -> Core:
    """The Core for `config`, with the extensions bound to `app`."""
    box = crypto.load_box(config.secret_key, config.data_dir / "secret.key")
    app.config.update(
        SECRET_KEY=box.derive("session"),
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
        SESSION_COOKIE_NAME="skerry_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.external_url.startswith("https:"),
        MAX_CONTENT_LENGTH=config.body_limit,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    db.init_app(app)
    login_manager.init_app(app)
    csrf.init_app(app)
    with app.app_context():
        (prepare_sqlite if config.is_sqlite else check_connections)(db.engine)
    return Core(
        config=config,
        session=db.session,
        box=box,
        bus=create_bus(config),
        artifacts=create_artifact_store(config),
        traces=create_trace_store(config),
        repositories=Repositories(config.data_dir / "repositories"),
        caller=caller,
    )


def _engine_options(config: Config) -> dict[str, object]:
    """Requests that wait hold no connection, so a pool far smaller than the threads is enough."""
    options: dict[str, object] = {"pool_size": 16, "max_overflow": 48, "pool_timeout": 20}
    if config.is_sqlite:
        options["connect_args"] = {"check_same_thread": False}
    return options


def install_edges(app: Flask, parts: Core) -> None:
    """Wrap the WSGI application in what routing needs, then register every blueprint."""
    middleware.install(app, parts.config)
    health.init_app(app)
    static_files.init_app(app)
    discovery.init_app(app)
    gitlab_v4.init_app(app)
    layerci_v1.init_app(app)
    wercker_v3.init_app(app)
    git_http.init_app(app)
    candor.init_app(app)
    dashboard.init_app(app)
