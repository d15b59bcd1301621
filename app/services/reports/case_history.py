"""One test through the runs of its project."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.domain.errors import NotFound
from app.domain.test_history import FAILING, title
from app.models import Job, JunitCase, JunitReport, Pipeline, Project
from app.services.core import Core
from app.services.reports.flaky_tests import flaky_commits
from app.services.reports.judge_cases import REMEMBERED

#: So many of the last reports of a test are looked at, and so many runs of one branch are shown.
LOOKED_AT = 2000
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Run:
    """One outcome of the test."""

    status: str
    seconds: float
    job_id: int
    pipeline_id: int
    ref: str
    sha: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A test and its last runs, newest first. `flaky`: as in `judge_cases.Judgement`."""

    title: str
    suite: str
    file: str
    runs: list[Run]
    flaky: int

    @property
    def failed(self) -> int:
        return sum(run.status in FAILING for run in self.runs)


def case_history(core: Core, project: Project, key: int, ref: str) -> CaseHistory:
    """The runs of the test `key` on the branch or tag `ref`; on any where it is "".

    Raises NotFound where no report of the project knows the test.
    """
    known = core.session.execute(
        select(JunitCase.classname, JunitCase.name, JunitCase.file, JunitReport.suite)
        .join(JunitReport, JunitReport.job_id == JunitCase.job_id)
        .join(Job, Job.id == JunitCase.job_id)
        .where(JunitCase.case_key == key, Job.project_id == project.id)
        .order_by(JunitCase.job_id.desc())
        .limit(1)
    ).one_or_none()
    if known is None:
        raise NotFound("Test")
    flaky = flaky_commits(core, project.id, {key}, core.now() - REMEMBERED)
    return CaseHistory(
        title=title(known.classname, known.name),
        suite=known.suite,
        file=known.file,
        runs=_runs(core, project, key, ref),
        flaky=flaky.get(key, 0),
    )


def _runs(core: Core, project: Project, key: int, ref: str) -> list[Run]:
    last = (
        select(JunitCase.id, JunitCase.job_id, JunitCase.status, JunitCase.seconds)
        .where(JunitCase.case_key == key)
        .order_by(JunitCase.job_id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    case = aliased(JunitCase, last)
    query = (
        select(case.status, case.seconds, Job.id, Pipeline.id, Pipeline.ref, Pipeline.sha, Job.created_at)
        .join(Job, Job.id == case.job_id)
        .join(Pipeline, Pipeline.id == Job.pipeline_id)
        .where(Job.project_id == project.id)
        .order_by(Job.id.desc())
        .limit(SHOWN)
    )
    rows = core.session.execute(query.where(Pipeline.ref == ref) if ref else query)
    return [Run(*row) for row in rows]
