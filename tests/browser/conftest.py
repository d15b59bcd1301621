"""Debian's Chromium over the real pages. A failing script, a dialog or a breach of the content policy fails a test."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, sync_playwright

from app import crypto
from app.models import Job, Pipeline, Project, User
from app.services.core import Core
from tests.browser.windows import watched_window
from tests.factories import PASSWORD, make_job, make_pipeline, make_project, make_user, print_trace


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
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


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """A fresh window. Whatever goes wrong in it fails the test."""
    with watched_window(chromium, site.url) as window:
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
