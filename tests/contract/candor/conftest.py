"""Candor's API as its clients see it: `site` has a private pipeline with a stored plan, assigned to `demouser`."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.models import Artifact, Job, JobStep, Pipeline, PipelineDefinition, write
from app.services.core import Core
from app.services.projects.create_project import create_project
from app.services.runs import assignees, definitions
from tests.factories import PASSWORD, make_member, make_user, print_trace
from tests.support.place import zipped

PLAN: dict[str, Any] = {
    "stages": [
        {"name": "Clone", "image": "alpine/git", "script": ["git clone https://example.com/x .", "git checkout %sha%"]},
        {"name": "Test", "image": "node:18", "environment": ["FOO=BAR", "BAZ"], "script": ["npm test"]},
    ],
    "archive": ["dist/app.tgz"],
    "constrainHeaders": {"X-GitHub-Event": ["push", "ping"]},
    "constrainBody": {".ref": ["refs/heads/main"]},
    "parameters": {"sha": ".after", "who": None},
}
PUSH = {"ref": "refs/heads/main", "after": "0a1b2c"}
EVENT = {"X-GitHub-Event": "push"}


@dataclass
class Site:
    """`definition` and its `token`; `core` to look at the rows."""

    app: Flask
    core: Core
    definition: PipelineDefinition
    token: str

    @property
    def id(self) -> int:
        return self.definition.id

    def client(self, username: str | None = None) -> FlaskClient:
        """A client, signed in as `username`."""
        client = self.app.test_client()
        if username:
            answer = client.post("/login", json={"username": username, "password": PASSWORD})
            assert answer.status_code == 200
        return client

    def trigger(self, body: Any = PUSH, headers: dict[str, str] = EVENT, query: str = "", **given: Any) -> TestResponse:
        return self.app.test_client().post(f"/trigger/{self.token}{query}", json=body, headers=headers, **given)

    def runs(self) -> list[Pipeline]:
        self.core.session.rollback()
        return self.core.session.query(Pipeline).order_by(Pipeline.id).all()

    def job(self) -> Job:
        """The job of the newest run."""
        pipeline = self.runs()[-1]
        return self.core.session.query(Job).filter_by(pipeline_id=pipeline.id).one()

    def save(self, plan: Any) -> None:
        with write(self.core.session):
            row = self.core.session.get_one(PipelineDefinition, self.definition.id)
            row.stored_text = json.dumps(plan)

    def developer(self) -> str:
        """Somebody new who may start all pipelines of the project."""
        user = make_user(self.core, "dev")
        make_member(self.core, user, self.definition.project)
        return user.username

    def publish(self) -> None:
        with write(self.core.session):
            self.core.session.get_one(PipelineDefinition, self.definition.id).public = True

    def finish(
        self,
        status: str = "success",
        steps: tuple[tuple[str, int | None, bytes], ...] = (("success", 0, b"cloned\n"), ("success", 0, b"tested\n")),
        reason: str | None = None,
        files: dict[str, bytes] | None = None,
    ) -> Pipeline:
        """End the newest run as its runner would have reported it: (status, exit code, output) of each step."""
        job_id, log = self.job().id, b""
        with write(self.core.session):
            job = self.core.session.get_one(Job, job_id)
            now = job.pipeline.created_at + timedelta(seconds=30)
            job.status, job.failure_reason, job.finished_at = status, reason, now
            job.started_at = job.pipeline.started_at = job.pipeline.created_at
            job.pipeline.status, job.pipeline.finished_at = status, now
            for row, (result, code, output) in zip(job.steps, steps, strict=True):
                self._end_step(row, result, code, now, len(log) + 9, output)
                log += b"heading:\n" + output
            if files is not None:
                self._archive(job, zipped(files))
        print_trace(self.core, job_id, log)
        return self.runs()[-1]

    def _end_step(self, row: JobStep, result: str, code: int | None, now: Any, start: int, output: bytes) -> None:
        row.status, row.exit_code = result, code
        if result != "skipped":
            row.started_at = row.finished_at = now
            row.trace_start, row.trace_end = start, start + len(output)

    def _archive(self, job: Job, data: bytes) -> None:
        with self.core.artifacts.receive(1 << 30) as incoming:
            incoming.write(data)
            stored = incoming.keep()
        artifact = Artifact(
            job_id=job.id,
            project_id=job.project_id,
            file_type="archive",
            file_format="zip",
            filename="artifacts.zip",
            size=stored.size,
            sha256=stored.sha256,
            storage_key=stored.key,
            created_at=self.core.now(),
        )
        self.core.session.add(artifact)


@pytest.fixture
def site(app: Flask, core: Core) -> Site:
    project = create_project(core, full_path="ci/rocket", creator=None, has_repository=False)
    demo = make_user(core, "demouser")
    make_user(core, "stranger")
    definition, token = definitions.create_definition(
        core, project, "Runner Code Quality", config_path="candor.json", stored_text=json.dumps(PLAN)
    )
    assignees.assign(core, definition, [demo])
    return Site(app, core, definition, token)
