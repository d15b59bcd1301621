"""A project with people of every role in it, as the tests of GitLab's and Wercker's APIs need one."""

import io
import zipfile
from dataclasses import dataclass, field
from typing import Any

from app import crypto
from app.domain.permissions import Role
from app.models import AccessToken, Artifact, Job, Membership, Pipeline, Project, User, write
from app.services.core import Core
from tests.factories import make_job, make_pipeline, make_project, print_trace


@dataclass
class Place:
    """A private project `acme/rocket`, one pipeline in it, and a token for each role: `tokens["developer"]`."""

    core: Core
    project: Project
    pipeline: Pipeline
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def job(self, **given: Any) -> Job:
        return make_job(self.core, self.pipeline, **given)

    def user(self, name: str, **given: Any) -> User:
        """One more user."""
        with write(self.core.session):
            user = person(self.core, name, **given)
            self.core.session.add(user)
        return user

    def token(self, user: User, plain: str = "", **given: Any) -> str:
        """One more token of `user`."""
        plain, user_id = plain or crypto.new_token("glpat-"), user.id
        with write(self.core.session):
            owner = self.core.session.get_one(User, user_id)
            self.core.session.add(access_token(self.core, owner, plain, **given))
        return plain

    def set(self, row: Any, **columns: Any) -> None:
        """Set columns of a row."""
        kind, key = type(row), row.id
        with write(self.core.session):
            fresh = self.core.session.get_one(kind, key)
            for name, value in columns.items():
                setattr(fresh, name, value)

    def job_token(self, job: Job) -> str:
        """A token of `job`, which counts while the job runs."""
        token = crypto.new_token("glcbt-")
        self.set(job, token_hash=crypto.token_hash(token))
        return token

    def archive(self, job: Job, data: bytes, **given: Any) -> Artifact:
        """Store `data` as the archive of `job`."""
        job_id, project_id = job.id, job.project_id
        with self.core.artifacts.receive(1 << 30) as incoming:
            incoming.write(data)
            stored = incoming.keep()
        values = {"filename": "artifacts.zip", "file_type": "archive", "file_format": "zip", **given}
        with write(self.core.session):
            artifact = Artifact(
                job_id=job_id,
                project_id=project_id,
                size=stored.size,
                sha256=stored.sha256,
                storage_key=stored.key,
                created_at=self.core.now(),
                **values,
            )
            self.core.session.add(artifact)
        return artifact

    def log(self, job: Job, data: bytes) -> None:
        """Store `data` as the log of `job`."""
        print_trace(self.core, job.id, data)


def make_place(core: Core) -> Place:
    """A fresh one."""
    names = ("owner", "stranger", "admin", "guest", "reporter", "developer", "maintainer")
    users = {name: person(core, name, is_admin=name == "admin") for name in names}
    tokens = {name: crypto.new_token("glpat-") for name in names}
    with write(core.session):
        core.session.add_all([*users.values(), *(access_token(core, users[name], tokens[name]) for name in names)])
    project = make_project(core, "acme/rocket", creator=users["owner"])
    with write(core.session):
        for role in (Role.GUEST, Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER):
            member = {"user_id": users[role.name.lower()].id, "project_id": 1, "role": int(role)}
            core.session.add(Membership(created_at=core.now(), **member))
    return Place(core, project, make_pipeline(core, project, user=users["developer"]), users, tokens)


def person(core: Core, name: str, **given: Any) -> User:
    """A user without a password, whom nobody has to wait for (the hash of one takes a tenth of a second)."""
    return User(username=name, name=name, session_nonce="nonce", created_at=core.now(), **given)


def access_token(core: Core, user: User, plain: str, **given: Any) -> AccessToken:
    """A token of `user` for everything, unless told otherwise."""
    values = {"name": "test", "scopes": ["api"], "hint": plain[-4:], "created_at": core.now(), **given}
    return AccessToken(user=user, token_hash=crypto.token_hash(plain), **values)


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of `files`, the same for the same ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()
