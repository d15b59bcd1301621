"""The server. `create_app` wires it together and does nothing else: it starts no thread and opens no connection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Config


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application for `config`, or for the SKERRY_* environment.

    Raises ConfigError when a setting makes no sense, KeyMissing when `skerry init` was not run.
    """
    from flask import Flask

    from app import assets, logs, wiring
    from app.config import read_config

    config = config or read_config(os.environ)
    logs.configure(config.log_level)
    app = Flask(
        "app",
        template_folder=str(assets.folder("templates")),
        static_folder=None,
    )
    core = wiring.build_core(app, config)
    app.extensions["skerry"] = core
    wiring.install_edges(app, core)
    return app
