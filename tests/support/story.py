"""One pipeline as every API tells of it, while a stock runner carries it on."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

from flask import Flask
from flask.testing import FlaskClient

from app.api.wercker_v3.entities.common import id_of
from app.models import Pipeline, PipelineDefinition, Project
from app.services.core import Core
from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.factories import PASSWORD, make_project, make_token, make_user
from tests.git_client import Checkout, new_checkout

CONFIGURATION = """
stages: [build, test, deploy]
compile: {stage: build, script: [make]}
unit: {stage: test, script: [make test]}
lint: {stage: test, script: [make lint]}
ship: {stage: deploy, script: [make ship], when: manual, allow_failure: false}
"""


@dataclass(frozen=True)
class Moment:
    """What the APIs say of the newest pipeline at one moment, in their own words.

    `wercker` is status and result, `layerci` status and calculated_status. `candor` is the status of the run among
    those that have ended (None: not among them), `running` whether it says that one runs. `cctray` is activity and the
    status of the last build.
    """

    gitlab: str
    wercker: tuple[str, str]
    layerci: tuple[str, str]
    candor: str | None
    running: bool
    cctray: tuple[str, str]

    def last_build(self, word: str) -> "Moment":
        """The same, where the last build that has ended was another one."""
        return replace(self, cctray=(self.cctray[0], word))


@dataclass
class Story:
    """`acme/rocket` with CONFIGURATION on `main`; everything is done and seen by its owner."""

    core: Core
    client: FlaskClient
    visitor: FlaskClient
    project: Project
    token: str
    checkout: Checkout
    runner: StockRunner

    def gitlab(self, path: str, method: str = "GET", **query: str) -> Any:
        address = f"/api/v4/projects/{self.project.id}{path}"
        return self._ask(method, address, query, {"PRIVATE-TOKEN": self.token})

    def wercker(self, path: str, method: str = "GET", **query: str) -> Any:
        return self._ask(method, f"/api/v3{path}", query, {"Authorization": f"Bearer {self.token}"})

    def layerci(self, path: str, method: str = "GET", **query: str) -> Any:
        return self._ask(method, f"/api/v1{path}", query | {"layertoken": self.token}, {})

    def _ask(self, method: str, address: str, query: dict[str, str], headers: dict[str, str]) -> Any:
        answer = self.client.open(address, method=method, query_string=query, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    def now(self) -> Moment:
        """What all say of the newest pipeline. Each API's filters have to find it by the word that it says."""
        run = self.newest()
        return Moment(
            gitlab=self._by_gitlab(run),
            wercker=self._by_wercker(run),
            layerci=self._by_layerci(run),
            **self._by_candor(run),
            cctray=self._by_cctray(),
        )

    def newest(self) -> Pipeline:
        self.core.session.rollback()
        return self.core.session.query(Pipeline).order_by(Pipeline.id.desc()).limit(1).one()

    def _by_gitlab(self, run: Pipeline) -> str:
        shown = self.gitlab(f"/pipelines/{run.id}")["status"]
        assert run.id in [found["id"] for found in self.gitlab("/pipelines", status=shown)]
        return str(shown)

    def _by_wercker(self, run: Pipeline) -> tuple[str, str]:
        shown = self.wercker(f"/runs/{id_of(run)}")
        words = {"status": shown["status"], "result": shown["result"]}
        found = self.wercker("/runs", applicationId=id_of(run.project), **words)
        assert shown["id"] in [each["id"] for each in found]
        assert ("finishedAt" in shown) == (shown["status"] == "finished")
        return shown["status"], shown["result"]

    def _by_layerci(self, run: Pipeline) -> tuple[str, str]:
        shown = self.layerci(f"/run/{run.project.path}/search")["job"]
        assert shown["id"] == run.iid
        search = f"status:{shown['calculated_status'].lower()} id:{run.iid}"
        assert self.layerci(f"/run/{run.project.path}/search", search=search)["job"] == shown
        return shown["status"], shown["calculated_status"]

    def _by_candor(self, run: Pipeline) -> dict[str, Any]:
        definition = self.core.session.query(PipelineDefinition).filter_by(is_default=True).one()
        shown = self.visitor.get(f"/api/pipelines/{definition.id}").json
        ended = {found["id"]: found["status"] for found in shown["lastRuns"]}
        return {"candor": ended.get(f"{run.id:08x}"), "running": shown["running"]}

    def _by_cctray(self) -> tuple[str, str]:
        address = f"/api/v2/applications/{id_of(self.project)}/cc/build"
        (shown,) = fromstring(self.client.get(address, query_string={"token": self.token}).data)
        return shown.attrib["activity"], shown.attrib["lastBuildStatus"]

    def jobs(self) -> dict[str, str]:
        """GitLab's status of each job."""
        return {job["name"]: job["status"] for job in self.gitlab(f"/pipelines/{self.newest().id}/jobs")}

    def runners(self) -> dict[str, str]:
        """LayerCI's status of each runner, as it calls jobs; those that were retried left out."""
        found = self.layerci(f"/runners/{self.project.path}/{self.newest().iid}")["runners"]
        return {runner["id"]: runner["status"] for runner in found if not runner["was_retried"]}

    def job_id(self, name: str) -> int:
        jobs = self.gitlab(f"/pipelines/{self.newest().id}/jobs")
        return next(int(job["id"]) for job in jobs if job["name"] == name)

    def commit(self, files: dict[str, str]) -> None:
        """Commit `files` to `main`; no pipeline comes of it."""
        self.checkout.commit(files)
        self.checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/main")


def make_story(app: Flask, core: Core, url: str, folder: Path) -> Story:
    """A fresh one. `url` is where the server listens, `folder` empty."""
    owner = make_user(core, "owner")
    project = make_project(core, "acme/rocket", creator=owner)
    repository = str(core.repositories.path(project.id))
    checkout = new_checkout(folder / "checkout", repository, {".gitlab-ci.yml": CONFIGURATION})
    checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    visitor = app.test_client()
    signed_in = visitor.post(
        "/login", data=json.dumps({"username": "owner", "password": PASSWORD}), mimetype="application/json"
    )
    assert signed_in.status_code == 200
    runner = StockRunner(url, create_runner(core)[1])
    return Story(core, app.test_client(), visitor, project, make_token(core, owner)[1], checkout, runner)
