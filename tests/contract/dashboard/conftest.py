"""Visitors of the pages: each has a browser of its own, and sends forms with the token of the page."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import crypto
from app.domain.permissions import Role
from app.models import Job, Pipeline, Project, User
from app.services.core import Core
from tests.factories import PASSWORD, make_job, make_member, make_pipeline, make_project, make_user
from tests.prepared import Prepared

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """Somebody with a browser."""

    client: FlaskClient

    def get(self, path: str, **given) -> TestResponse:
        return self.client.get(path, **{"buffered": True, **given})

    def token(self) -> str:
        """The form token of this session."""
        page = self.client.get("/-/projects/new")
        if page.status_code != 200:
            page = self.client.get("/-/sign_in")
        return _TOKEN.search(page.text)[1]

    def post(self, path: str, form: dict | None = None, **given) -> TestResponse:
        """Send a form, with its token."""
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **given)

    def sign_in(self, username: str, password: str = PASSWORD, **form) -> TestResponse:
        return self.post("/-/sign_in", {"username": username, "password": password, **form})


@dataclass
class Site:
    """A private project with a running pipeline, and one member of each role."""

    app: Flask
    core: Core
    project: Project
    pipeline: Pipeline
    job: Job
    path: str = "skerry/hello"

    def visitor(self, username: str | None = None) -> Visitor:
        """A browser, signed in as `username`."""
        visitor = Visitor(self.app.test_client())
        if username:
            assert visitor.sign_in(username).status_code == 303
        return visitor


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch):
    """The same hash at its smallest cost: what it costs is not what these tests are about."""
    monkeypatch.setattr(crypto, "_passwords", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def make_team(core: Core) -> dict[str, Any]:
    """A private project with a member of each role, its owner, somebody else and an administrator."""
    owner = make_user(core, "owner", is_admin=False)
    project = make_project(core, "skerry/hello", creator=owner)
    for name, role in (
        ("guest", Role.GUEST),
        ("reporter", Role.REPORTER),
        ("developer", Role.DEVELOPER),
        ("maintainer", Role.MAINTAINER),
    ):
        make_member(core, make_user(core, name), project, role)
    make_user(core, "stranger")
    make_user(core, "admin", is_admin=True)
    return {"project": project, "owner": owner}


@pytest.fixture
def site(app: Flask, core: Core, prepared: Prepared) -> Site:
    team = prepared(core, make_team)
    project = team["project"]
    pipeline = make_pipeline(core, project, user=team["owner"], status="running", protected=False)
    job = make_job(core, pipeline, name="unit", stage="test", status="running", started_at=core.now())
    return Site(app, core, project, pipeline, job)


@pytest.fixture
def user_of(core: Core):
    """The row of a user by name."""
    return lambda name: core.session.query(User).filter_by(username=name).one()
