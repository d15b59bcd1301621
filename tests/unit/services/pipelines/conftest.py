"""Projects with commits in them, without HTTP: `lab.project({".gitlab-ci.yml": …})`, `lab.run(project)`."""

import io
import zipfile
from itertools import count

import pytest

from app.domain import failure, status
from app.models import Artifact, Job, Pipeline, Project, User, write
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.mirror_downstream import mirror_downstream
from app.services.pipelines.request_for_ref import request_for_ref
from app.services.pipelines.start_downstream import start_downstream
from tests.databases import BOTH
from tests.factories import make_project, make_user
from tests.git_client import new_checkout


class Lab:
    """Builders, and the rounds of the background's loop."""

    def __init__(self, core: Core, folder) -> None:
        self.core, self._folder, self._count = core, folder, count(1)
        self.user = make_user(core, "ada")

    def project(self, files, *, path=None, creator=None, **columns) -> Project:
        number = next(self._count)
        project = make_project(self.core, path or f"group/project{number}", creator=creator or self.user, **columns)
        checkout = new_checkout(self._folder / f"checkout{number}", str(self.core.repositories.path(project.id)), files)
        pushed = checkout.push("main")
        assert pushed.ok, pushed.text
        return self.core.session.get_one(Project, project.id)

    def run(self, project: Project, user: User | None = None, **given) -> Pipeline:
        request = request_for_ref(self.core, project, "main", user or self.user, **given)
        return run_pipeline(self.core, request)

    def beat(self, rounds: int = 4) -> None:
        """What the background does, until nothing is left to do."""
        for _ in range(rounds):
            self.core.session.rollback()
            start_downstream(self.core)
            mirror_downstream(self.core)

    def pipelines(self, project: Project | None = None) -> list[Pipeline]:
        self.core.session.rollback()
        query = self.core.session.query(Pipeline).order_by(Pipeline.id)
        return list(query.filter_by(project_id=project.id) if project else query)

    def newest(self) -> Pipeline:
        return self.pipelines()[-1]

    def jobs(self, pipeline: Pipeline) -> dict[str, Job]:
        self.core.session.rollback()
        rows = self.core.session.query(Job).filter_by(pipeline_id=pipeline.id, retried=False)
        return {job.name: job for job in rows}

    def statuses(self, pipeline: Pipeline) -> dict[str, str]:
        return {name: job.status for name, job in self.jobs(pipeline).items()}

    def read(self, row):
        self.core.session.rollback()
        return self.core.session.get(type(row), row.id, populate_existing=True)

    def end(self, pipeline: Pipeline, name: str, how: str = status.SUCCESS) -> None:
        """The job's runner reports its end."""
        job_id = self.jobs(pipeline)[name].id
        with write(self.core.session):
            held = lock_job(self.core, job_id)
            held.status, held.started_at = status.RUNNING, self.core.now()
            finish(self.core, held, how, failure.SCRIPT_FAILURE if how == status.FAILED else None)

    def archive(self, job: Job, files: dict[str, bytes]) -> None:
        """`files` as the archive of `job`."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        job_id, project_id = job.id, job.project_id
        with self.core.artifacts.receive(1 << 30) as incoming:
            incoming.write(buffer.getvalue())
            stored = incoming.keep()
        values = {"filename": "artifacts.zip", "file_type": "archive", "file_format": "zip"}
        with write(self.core.session):
            self.core.session.add(
                Artifact(
                    job_id=job_id,
                    project_id=project_id,
                    size=stored.size,
                    sha256=stored.sha256,
                    storage_key=stored.key,
                    created_at=self.core.now(),
                    **values,
                )
            )


@pytest.fixture
def lab(core, tmp_path):
    return Lab(core, tmp_path)


def pytest_generate_tests(metafunc):
    """Every test here runs on both databases."""
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", BOTH, indirect=True)
