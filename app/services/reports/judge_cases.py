"""Whether a test that failed is new or known, and whether it is flaky: judged by the history of its project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from app.domain.status import COMPLETED
from app.domain.test_history import FAILING, LAST_FAILING_RANK
from app.models import Job, JunitCase, JunitReport, Pipeline
from app.services.core import Core
from app.services.reports.flaky_tests import flaky_commits

#: How far back flaky tests are remembered.
REMEMBERED = timedelta(days=90)
#: Among so many of the last pipelines of the target branch the last run of a suite is looked for.
LOOKED_BACK = 20


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the history says of a case. `new`: it failed now and not in the last run of the target branch; None: it did
    not fail, or there is no such run. `flaky`: on how many commits of the last 90 days it both failed and passed.
    """

    new: bool | None
    flaky: int


def judge_cases(core: Core, pipeline: Pipeline, cases: Sequence[JunitCase]) -> dict[int, Judgement]:
    """The judgement of each of some cases of `pipeline`, by the case's id. The target is the project's default branch:
    its last run before `pipeline`.
    """
    keys = {case.case_key for case in cases if case.case_key is not None}
    flaky = flaky_commits(core, pipeline.project_id, keys, core.now() - REMEMBERED)
    failing = [case for case in cases if case.status in FAILING and case.case_key is not None]
    suites = _suites(core, failing)
    reports = last_reports(core, pipeline, set(suites.values()))
    known = _failed_before(core, failing, [job_id for job_ids in reports.values() for job_id in job_ids])
    judged = {}
    for case in cases:
        new = None
        if case.status in FAILING and case.case_key is not None and suites[case.job_id] in reports:
            new = case.case_key not in known
        judged[case.id] = Judgement(new, flaky.get(case.case_key or 0, 0))
    return judged


def _suites(core: Core, cases: Sequence[JunitCase]) -> dict[int, str]:
    """The suite of each job that the cases are of."""
    job_ids = {case.job_id for case in cases}
    if not job_ids:
        return {}
    query = select(JunitReport.job_id, JunitReport.suite).where(JunitReport.job_id.in_(job_ids))
    return {row[0]: row[1] for row in core.session.execute(query)}


def last_reports(core: Core, pipeline: Pipeline, suites: set[str]) -> dict[str, list[int]]:
    """The jobs whose reports were the last of each suite on the target branch before `pipeline`; a suite that none of
    the last pipelines there had is left out.
    """
    if not suites:
        return {}
    earlier = (
        select(Pipeline.id)
        .where(
            Pipeline.project_id == pipeline.project_id,
            Pipeline.ref == pipeline.project.default_branch,
            Pipeline.id < pipeline.id,
            Pipeline.tag.is_(False),
            Pipeline.status.in_(COMPLETED),
        )
        .order_by(Pipeline.id.desc())
        .limit(LOOKED_BACK)
    )
    rows = core.session.execute(
        select(JunitReport.suite, Job.pipeline_id, Job.id)
        .join(Job, Job.id == JunitReport.job_id)
        .where(Job.pipeline_id.in_(list(core.session.scalars(earlier))), Job.retried.is_(False))
        .where(JunitReport.suite.in_(suites), JunitReport.problem.is_(None))
        .order_by(Job.pipeline_id.desc(), Job.id)
    )
    newest: dict[str, int] = {}
    found: dict[str, list[int]] = {}
    for suite, pipeline_id, job_id in rows:
        if newest.setdefault(suite, pipeline_id) == pipeline_id:
            found.setdefault(suite, []).append(job_id)
    return found


def _failed_before(core: Core, cases: Sequence[JunitCase], job_ids: Sequence[int]) -> set[int]:
    if not cases or not job_ids:
        return set()
    query = select(JunitCase.case_key).where(
        JunitCase.case_key.in_({case.case_key for case in cases}),
        JunitCase.job_id.in_(job_ids),
        JunitCase.rank <= LAST_FAILING_RANK,
    )
    return {key for key in core.session.scalars(query) if key is not None}
