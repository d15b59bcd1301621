"""`skerry serve`: the application under gunicorn, with the settings that its long requests need.

1. The master binds, and forks the workers. 2. Each worker makes its application, so that nothing is shared across a
fork; the first looks whether the database is ready. 3. Then it starts its background work. 4. SIGTERM rings the bell of
all who wait, so that they answer at once.

A lone worker loads the code itself: what the master loads before the fork, both write into before long, and a master
that serves nothing would hold all of it for itself. Several workers share what the master has loaded.
"""

import errno
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger

from app import logs
from app.config import Config, ConfigError
from app.http.socket_body import read_directly
from app.logs import hide_secrets

if TYPE_CHECKING:
    from flask import Flask

#: A worker that gives no sign of life for so long is killed. Its main thread gives them, however long requests take.
WORKER_TIMEOUT = 60
#: How long requests at work may take to end after SIGTERM: uploads and clones that do not are cut off.
GRACE = 15
KEEP_ALIVE = 75
#: So many more objects than before make the collector of garbage look at the youngest; at older ones each tenth time.
COLLECT = (20_000, 10, 10)
#: A worker whose master was killed sees that within a second; until then it holds the address.
ORPHANS_END = 2.0
_GUNICORN = logging.getLogger("gunicorn")
_ENCODER = json.JSONEncoder(sort_keys=True)


class JsonLogger(Logger):
    """gunicorn's words through our own log; of a request's address only the path, since tokens stand behind it."""

    def setup(self, cfg: Any) -> None:
        self._log = structlog.get_logger("gunicorn")
        self.access_is_on = cfg.accesslog is not None

    def critical(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._log.critical(_text(msg, args))

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._log.error(_text(msg, args), exc_info=kwargs.get("exc_info"))

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._log.warning(_text(msg, args))

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._log.info(_text(msg, args))

    def debug(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._log.debug(_text(msg, args))

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._log.exception(_text(msg, args))

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One line for each request, written as all others look, past all that makes those: it is what most are."""
        if not _GUNICORN.isEnabledFor(logging.INFO):
            return
        entry = {
            "event": "request",
            "level": "info",
            "logger": "gunicorn",
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "method": environ.get("REQUEST_METHOD"),
            "path": hide_secrets(None, "", {"path": urlsplit(environ.get("RAW_URI", "")).path})["path"],
            "status": int(str(resp.status).split(maxsplit=1)[0]),
            "bytes": getattr(resp, "sent", None),
            "milliseconds": round(request_time.total_seconds() * 1000, 1),
            "remote": environ.get("REMOTE_ADDR"),
            "request_id": next((value for name, value in resp.headers if name.lower() == "x-request-id"), None),
        }
        sys.stderr.write(_ENCODER.encode(entry) + "\n")

    def reopen_files(self) -> None:
        """Nothing to reopen: the log goes to standard error."""

    def close_on_exec(self) -> None:
        """No file of its own."""


def _text(message: str, args: tuple[Any, ...]) -> str:
    try:
        return str(message) % args if args else str(message)
    except (TypeError, ValueError):
        return f"{message} {args}"


class Server(BaseApplication):
    """gunicorn with the settings of `config`. Each worker makes its own application."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        for name, value in settings(self._config).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In a worker. Raises AppImportError, at which the master ends too."""
        from app import create_app
        from app.crypto import KeyMissing

        try:
            return create_app(self._config)
        except (ConfigError, KeyMissing) as wrong:
            raise AppImportError(f"skerry: {wrong}") from wrong


def settings(config: Config) -> dict[str, Any]:
    """gunicorn's settings for `config`."""
    return {
        "bind": [config.bind],
        "worker_class": "gthread",
        "workers": config.workers,
        "threads": config.threads,
        # Connections that are kept alive between requests count too; they cost a file descriptor each.
        "worker_connections": config.threads + 1000,
        "timeout": WORKER_TIMEOUT,
        "graceful_timeout": GRACE,
        "keepalive": KEEP_ALIVE,
        "limit_request_line": 8190,
        # Which proxies are believed is the application's own business (SKERRY_TRUSTED_PROXIES).
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "logger_class": JsonLogger,
        "accesslog": "-",
        "pre_request": read_directly,
        "post_worker_init": start_worker,
        "worker_exit": stop_worker,
        "proc_name": "skerry",
    }


def start_worker(worker: Any) -> None:
    """In a fresh worker: start the background work, and let SIGTERM end the requests that wait."""
    from app.background import Background

    app = worker.wsgi
    if worker.age == 1:
        _require_database(app)
    bus = app.extensions["skerry"].bus
    settle_memory()
    worker.background = Background(app)
    worker.background.start()

    def ringing(handler: Callable[[int, Any], None]) -> Callable[[int, Any], None]:
        def handle(number: int, frame: Any) -> None:
            # The bell has a lock that the interrupted thread may hold: another thread rings it.
            threading.Thread(target=bus.stop, name="stop", daemon=True).start()
            handler(number, frame)

        return handle

    for number, handler in (
        (signal.SIGTERM, worker.handle_exit),
        (signal.SIGINT, worker.handle_exit),
        (signal.SIGQUIT, worker.handle_quit),
    ):
        signal.signal(number, ringing(handler))
        signal.siginterrupt(number, False)


def _require_database(app: "Flask") -> None:
    """Raises AppImportError where `skerry init` has not prepared the database for this version."""
    from app import schema
    from app.domain.errors import SkerryError
    from app.extensions import db

    with app.app_context():
        try:
            schema.require_newest(db.session.connection())
        except SkerryError as wrong:
            raise AppImportError(f"skerry: {wrong}") from wrong


def stop_worker(_server: Any, worker: Any) -> None:
    """A worker ends: its background work first, then its connections; then the process, without further ado.

    The interpreter's own end would wait for requests that have used up their time, and take half a second to tidy up
    memory that the system takes back anyway.
    """
    background = getattr(worker, "background", None)
    if background is None:  # it never came up: gunicorn knows which exit code says why
        return
    from app.extensions import db

    background.stop()
    with worker.wsgi.app_context():
        db.engine.dispose()
    sys.stderr.flush()
    os._exit(0)


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, and exit. Raises ConfigError where the address cannot be used."""
    logs.configure(config.log_level)
    check_address(config.bind)
    _allow_many_files()
    if config.workers > 1:
        _share_code()
    master = os.getpid()
    try:
        Server(config).run()
    except SystemExit as ended:  # workers, which this raises too, tell the master by the code that gunicorn gave them
        refused = ended.code == Arbiter.APP_LOAD_ERROR and os.getpid() == master
        sys.exit(1 if refused else ended.code)


def _share_code() -> None:
    """Load all code before the fork, so that the workers share its memory; the collector of garbage, which writes
    into whatever it looks at, leaves it alone from here on.
    """
    import_module("app.wiring")
    gc.collect()
    gc.freeze()


def settle_memory() -> None:
    """In a worker that has its application: the collector leaves it alone, and looks for garbage less often. A request
    makes thousands of objects, of which hardly any is left over; to look after every 700 costs a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _allow_many_files() -> None:
    """Every connection is a file; the usual soft limit of 1,024 is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def check_address(bind: str) -> None:
    """Raises ConfigError where `bind` (HOST:PORT or unix:/path) cannot be listened on, also not in a moment."""
    if bind.startswith("unix:"):
        return
    host, _, port = bind.rpartition(":")
    until = monotonic() + ORPHANS_END
    while (error := _refusal(host.strip("[]"), port)) is not None:
        if getattr(error, "errno", None) != errno.EADDRINUSE or monotonic() > until:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"SKERRY_BIND: cannot listen on {bind}: {reason}") from error
        sleep(0.05)


def _refusal(host: str, port: str) -> Exception | None:
    """Why nobody can listen there now; None where one can."""
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, int(port)))
    except (OSError, OverflowError) as error:
        return error
    return None
