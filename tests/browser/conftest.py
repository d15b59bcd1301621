"""Debian's Chromium over the real pages. A failing script, a dialog or a breach of the content policy fails a test."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import crypto
from app.models import Job, Pipeline, Project, User
from app.services.core import Core
from tests.browser.windows import Place, shared_place, watched_window
from tests.factories import PASSWORD, make_job, make_pipeline, make_project, make_user, print_trace


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        yield browser
        browser.close()


@dataclass
class Site:
    """A public project with a pipeline whose job `unit` runs."""

    url: str
    core: Core
    admin: User
    project: Project
    pipeline: Pipeline
    job: Job

    @property
    def address(self) -> str:
        """The page of the job."""
        return f"/skerry/hello/-/jobs/{self.job.id}"

    def print(self, text: bytes) -> None:
        """The job prints `text`."""
        from app.events.base import Notice

        print_trace(self.core, self.job.id, text)
        self.core.bus.publish(Notice(f"trace:{self.job.id}"))

    def forget_log(self) -> None:
        """The log came damaged: it begins anew, though its file has yet to be cut."""
        from app.models import write
        from app.services.runners.append_trace import restart_trace

        job_id = self.job.id
        with write(self.core.session):
            restart_trace(self.core.session.get_one(Job, job_id))

    def end(self, status: str = "success") -> None:
        """The job ends."""
        from app.events.base import Notice
        from app.models import write

        job_id = self.job.id
        with write(self.core.session):
            job = self.core.session.get_one(Job, job_id)
            job.status, job.updated_at, job.finished_at = status, self.core.now(), self.core.now()
            job.trace_size = self.core.traces.size(job_id)
        self.core.bus.publish(Notice(f"job:{job_id}"))


@pytest.fixture
def site(core: Core, server, monkeypatch) -> Site:
    monkeypatch.setattr(crypto, "_passwords", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    admin = make_user(core, "admin", is_admin=True)
    project = make_project(core, "skerry/hello", creator=admin, visibility="public")
    pipeline = make_pipeline(core, project, user=admin, status="running", protected=False)
    job = make_job(core, pipeline, name="unit", stage="test", status="running", started_at=core.now())
    return Site(server.url, core, admin, project, pipeline, job)


@pytest.fixture(scope="module")
def log_place(chromium: Browser, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Place]:
    """A server that the tests of a log share."""
    with shared_place(chromium, tmp_path_factory.mktemp("logs"), sqlite_template) as place:
        make_project(place.core, "skerry/hello", creator=place.admin, visibility="public")
        yield place


@pytest.fixture(scope="module")
def log_window(chromium: Browser, log_place: Place) -> Iterator[Page]:
    """Their window, in which the administrator is signed in: style and scripts are loaded once."""
    with watched_window(chromium, log_place.url, storage_state=log_place.signed_in) as window:
        yield window


@pytest.fixture
def log(log_place: Place) -> Site:
    """A job of a pipeline of its own, which runs and has printed nothing yet."""
    core, admin = log_place.core, log_place.admin
    project = core.session.query(Project).filter_by(path="hello").one()
    pipeline = make_pipeline(core, project, user=admin, status="running", protected=False)
    job = make_job(core, pipeline, name="unit", stage="test", status="running", started_at=core.now())
    return Site(log_place.url, core, admin, project, pipeline, job)


@pytest.fixture(scope="module")
def place(chromium: Browser, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Place]:
    """An empty server that the tests of one module share, for modules that say so: `usefixtures("place")`."""
    with shared_place(chromium, tmp_path_factory.mktemp("place"), sqlite_template) as place:
        yield place


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh window: of `place`, where the administrator is signed in, for who uses that; else of `site`, where
    nobody is. Whatever goes wrong in it fails the test.
    """
    if "place" in request.fixturenames:
        place: Place = request.getfixturevalue("place")
        url, given = place.url, {"storage_state": place.signed_in}
    else:
        url, given = request.getfixturevalue("site").url, {}
    with watched_window(chromium, url, **given) as window:
        yield window


@pytest.fixture
def sign_in(page: Page):
    """Signs the administrator in through the form."""

    def enter(target: str = "/") -> None:
        page.goto(f"/-/sign_in?next={target}")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{target}")

    return enter
