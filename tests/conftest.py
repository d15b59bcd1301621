"""What all tests share.

`app`, `core` and `client` stand on an empty data folder and an empty database of their own. The database is SQLite,
unless the test says otherwise:

    @pytest.mark.parametrize("database", BOTH, indirect=True)      # from tests.databases import BOTH

`server` is the same application behind real HTTP, in threads of this process; `server.url` is its address.
"""

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse
from xdist.remote import Producer

from app import create_app, crypto
from app.config import Config
from app.extensions import db
from app.services.core import Core
from tests import postgresql
from tests.databases import initialise_database
from tests.no_power_loss import commit_without_waiting, wait_for_no_disk
from tests.prepared import Prepared
from tests.scheduling import HostScheduling, give_way, group_of, longest_first, misplaced
from tests.shared_work import SharedMap, SharedTemplates, share_inserts, share_statements
from tests.support import programs
from tests.support.http_server import HttpServer


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> HostScheduling:
    """How several workers share the tests."""
    config.option.loadscopereorder = False
    return HostScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests, and skip what this host cannot run, saying why; under CI=true it fails instead."""
    if lost := misplaced(items):
        raise pytest.UsageError(f"these tests share the host: put them where tests/scheduling.py says: {lost}")
    longest_first(items)
    if os.environ.get("CI") == "true":
        return
    lacking = {
        "postgresql": None if postgresql.binaries() else "PostgreSQL's server binaries are not installed",
        "podman": None if shutil.which("podman") else "Podman is not installed",
        "node": None if shutil.which("node") and shutil.which("npm") else "Node.js and npm are not installed",
        "browser": None if shutil.which("chromium") else "Chromium is not installed",
    }
    for item in items:
        for name, reason in lacking.items():
            if reason and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_runtest_logstart(nodeid: str) -> None:
    """In a worker: the tests of no group are in no hurry."""
    if "PYTEST_XDIST_WORKER" in os.environ and group_of(nodeid) is None:
        give_way()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for this session."""
    with postgresql.run_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: postgresql.Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database as `skerry init` leaves it."""
    with postgresql_server.database(keep=True) as name:
        initialise_database(postgresql_server.url(name), tmp_path_factory.mktemp("postgresql"))
        return name


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: postgresql.Server, postgresql_template: str) -> Iterator[postgresql.Reused]:
    """The database that one test after another works in."""
    with postgresql_server.database(postgresql_template) as name:
        database = postgresql.Reused(postgresql_server, name)
        yield database
        database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file as `skerry init` leaves it."""
    folder = tmp_path_factory.mktemp("sqlite")
    initialise_database(f"sqlite:///{folder / 'skerry.db'}", folder)
    return folder / "skerry.db"


@pytest.fixture(scope="session")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """What many tests begin with, made once: `prepared(core, build)` instead of `build(core)`."""
    return Prepared(sqlite_template, tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def data_dir(tmp_path: Path, sqlite_template: Path) -> Path:
    """An empty data folder with a key, as `skerry init` leaves it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copy(sqlite_template.with_name("secret.key"), folder)
    return folder


@pytest.fixture
def database(request: pytest.FixtureRequest, data_dir: Path) -> Iterator[str]:
    """The address of an empty database: SQLite, or what the test's parameter says (`tests.databases`)."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), data_dir / "skerry.db")
        yield f"sqlite:///{data_dir / 'skerry.db'}"
        return
    if request.node.get_closest_marker("planner"):
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        with server.database(request.getfixturevalue("postgresql_template")) as name:
            yield server.url(name)
        return
    reused: postgresql.Reused = request.getfixturevalue("postgresql_database")
    reused.restore()
    yield reused.url


@pytest.fixture(autouse=True, scope="session")
def _cheap_passwords() -> None:
    """Hashing a password takes a tenth of a second on purpose; tests need not wait for it."""
    crypto._passwords = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True, scope="session")
def _work_is_shared() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "url_map_class", SharedMap)
        share_inserts(patch)
        wait_for_no_disk(patch)
        patch.setattr(programs, "FORKED", True)
        yield


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings that differ from the defaults. Override it in a test module to change them."""
    return {}


@pytest.fixture
def app(data_dir: Path, database: str, settings: dict[str, Any]) -> Iterator[Flask]:
    """The application. While the test runs an application context is pushed, so `core.session` works."""
    application = create_app(Config(data_dir=data_dir, database_url=database, poll_wait=0, **settings))
    application.testing = True
    application.test_client_class = DetachedClient
    application.jinja_env.bytecode_cache = SharedTemplates()
    with application.app_context():
        share_statements(db.engine)
        commit_without_waiting(db.engine)
    yield application
    core: Core = application.extensions["skerry"]
    core.bus.stop()
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def core(app: Flask) -> Core:
    """The application's parts, for services and factories."""
    parts: Core = app.extensions["skerry"]
    return parts


class DetachedClient(FlaskClient):
    """A client whose requests share nothing with the test: own context, own session, as behind a real server."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        core: Core = self.application.extensions["skerry"]
        core.session.rollback()  # so that the test reads afterwards what the request wrote
        self.preserve_context = False  # a kept context could only be closed in the Context that it was made in
        response: TestResponse = Context().run(super().open, *args, **kwargs)
        return response


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Wait until what is given is true; fails after ten seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "not within a minute"
            time.sleep(0.01)

    return wait


@dataclass
class LiveServer:
    """A real HTTP server. `url` has no slash at the end."""

    url: str
    stop: Callable[[], None] = field(repr=False)

    def clone_url(self, full_path: str, username: str = "", password: str = "") -> str:
        """The address to clone from, with credentials."""
        credentials = f"{username}:{password}@" if password else ""
        return self.url.replace("://", f"://{credentials}", 1) + f"/{full_path}.git"


@pytest.fixture
def server(app: Flask) -> Iterator[LiveServer]:
    """`app` behind real HTTP on a free port, each request in a thread."""
    http = HttpServer(app)
    core: Core = app.extensions["skerry"]
    object.__setattr__(core.config, "external_url", http.url)

    def stop() -> None:
        core.bus.stop()
        http.stop()

    yield LiveServer(http.url, stop)
    stop()


def pytest_collection() -> None:
    """What is imported now stays to the end: the garbage collector need not look at it over and over."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor later; and what tests leave behind is looked for as seldom as in a server: that saves a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()
