"""A repository with a branch `master` behind LayerCI's API."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.permissions import Role
from app.models import Pipeline, Project, User, write
from app.services.core import Core
from tests.factories import make_member, make_project, make_token, make_user
from tests.git_client import Checkout, new_checkout

CONFIGURATION = """
stages: [build, deploy]
build: {stage: build, script: [make], cache: {paths: [out]}}
run-and-deploy: {stage: deploy, script: [ship], when: manual, cache: {paths: [out]}}
"""


@dataclass
class LayerCi:
    """The API as the owner of `project` calls it, with the parameter's old name unless told otherwise."""

    core: Core
    client: FlaskClient
    owner: User
    token: str
    project: Project
    checkout: Checkout

    def get(self, path: str, name: str = "layertoken", **query: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", query_string={name: self.token} | query)

    def post(self, path: str = "/run/repo_name", name: str = "layertoken", **given: Any) -> TestResponse:
        return self.client.post(f"/api/v1{path}", query_string={name: self.token}, **given)

    def create(self, **body: Any) -> dict[str, Any]:
        """Start a run, which has to succeed; the job."""
        answer = self.post(json=body)
        assert answer.status_code == 200, answer.text
        return answer.json["job"]

    def token_of(self, role: Role, *scopes: str) -> str:
        """The token of a new user with `role` in the project."""
        user = make_user(self.core)
        if role:
            make_member(self.core, user, self.project, role)
        return make_token(self.core, user, *scopes)[1]

    def commit(self, files: dict[str, str], branch: str = "master") -> str:
        """Commit `files` and have them in the repository; no pipeline comes of it. The new commit's id."""
        sha = self.checkout.commit(files)
        self.checkout.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return sha

    def set(self, row: Any, **columns: Any) -> None:
        kind, key = type(row), row.id
        with write(self.core.session):
            fresh = self.core.session.get_one(kind, key)
            for name, value in columns.items():
                setattr(fresh, name, value)

    def run(self, number: int) -> Pipeline:
        self.core.session.rollback()
        return self.core.session.query(Pipeline).filter_by(project_id=self.project.id, iid=number).one()


def make_layerci(core: Core, client: FlaskClient, folder: Path) -> LayerCi:
    """A fresh one; its checkout lies in `folder`."""
    owner = make_user(core, "owner")
    project = make_project(core, "layerdemo/repo_name", creator=owner)
    repository = core.repositories.path(project.id)
    checkout = new_checkout(folder / "checkout", str(repository), {".gitlab-ci.yml": CONFIGURATION})
    checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/master")
    return LayerCi(core, client, owner, make_token(core, owner)[1], project, checkout)
