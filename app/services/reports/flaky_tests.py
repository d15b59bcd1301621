"""Tests that fail and pass on one commit: noted as the reports come in, so that no page has to compare them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from app.domain import junit
from app.domain.test_history import LAST_FAILING_RANK, Outcomes, case_key, outcomes, title
from app.models import FlakyTest, Job, JunitCase, JunitReport, Pipeline, Project
from app.services.core import Core
from app.services.reports.suites import suite_name

#: With how many earlier reports of the same commit a report is compared, and how many tests of it at most.
MOST_REPORTS = 20
MOST_TESTS = 2000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Flaky:
    """A test with the number of commits on which it did both."""

    case_key: int
    suite: str
    title: str
    commits: int
    last_seen_at: datetime


def note_flaky_tests(core: Core, job: Job, cases: Iterable[junit.Case]) -> None:
    """*In a write*: compare the report of `job` with the earlier ones of its commit and suite, and note what did both.

    The earlier ones are those of other tries of the job, of its parallel instances and of other pipelines.
    """
    suite, sha = suite_name(job.name), job.pipeline.sha
    others = _earlier_reports(core, job, suite, sha) if sha.strip("0") else []
    if not others:
        return
    titles = {case_key(job.project_id, suite, case): title(case.classname, case.name) for case in cases}
    mine = outcomes((case_key(job.project_id, suite, case), case.status) for case in cases)
    candidates = (_failed_there(core, others) & mine.passed) | set(sorted(mine.failed)[:MOST_TESTS])
    flaky: set[int] = set()
    for theirs in _outcomes_there(core, others, candidates):
        flaky |= (theirs.failed & mine.passed) | (theirs.passed & mine.failed)
    fresh = flaky - _noted(core, job.project_id, sha, flaky)
    values = {"project_id": job.project_id, "sha": sha, "suite": suite, "seen_at": core.now()}
    if fresh:
        core.session.execute(
            insert(FlakyTest), [{**values, "case_key": key, "title": titles[key]} for key in sorted(fresh)]
        )


def _earlier_reports(core: Core, job: Job, suite: str, sha: str) -> list[int]:
    query = (
        select(JunitReport.job_id)
        .join(Job, Job.id == JunitReport.job_id)
        .join(Pipeline, Pipeline.id == Job.pipeline_id)
        .where(Pipeline.project_id == job.project_id, Pipeline.sha == sha)
        .where(JunitReport.suite == suite, JunitReport.job_id != job.id)
        .order_by(JunitReport.job_id.desc())
        .limit(MOST_REPORTS)
    )
    return list(core.session.scalars(query))


def _failed_there(core: Core, job_ids: Sequence[int]) -> set[int]:
    query = select(JunitCase.case_key).where(
        JunitCase.job_id.in_(job_ids), JunitCase.rank <= LAST_FAILING_RANK, JunitCase.case_key.is_not(None)
    )
    return set(core.session.scalars(query.limit(MOST_TESTS)))


def _batches(keys: Collection[int]) -> Iterator[list[int]]:
    """The keys in lists that a database takes as one list of values."""
    ordered = sorted(keys)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))


def _outcomes_there(core: Core, job_ids: Sequence[int], keys: Collection[int]) -> list[Outcomes]:
    """What each of some reports says of the tests."""
    found: dict[int, list[tuple[int, str]]] = {}
    for some in _batches(keys):
        query = select(JunitCase.job_id, JunitCase.case_key, JunitCase.status)
        for job_id, key, status in core.session.execute(
            query.where(JunitCase.case_key.in_(some), JunitCase.job_id.in_(job_ids))
        ):
            found.setdefault(job_id, []).append((key or 0, status))
    return [outcomes(cases) for cases in found.values()]


def _noted(core: Core, project_id: int, sha: str, keys: Collection[int]) -> set[int]:
    found: set[int] = set()
    for some in _batches(keys):
        query = select(FlakyTest.case_key).where(
            FlakyTest.project_id == project_id, FlakyTest.case_key.in_(some), FlakyTest.sha == sha
        )
        found.update(core.session.scalars(query))
    return found


def flaky_commits(core: Core, project_id: int, keys: Collection[int], since: datetime) -> dict[int, int]:
    """On how many commits since then each of the tests did both; those that never did are left out."""
    query = (
        select(FlakyTest.case_key, func.count(FlakyTest.sha.distinct()))
        .where(FlakyTest.project_id == project_id, FlakyTest.case_key.in_(keys), FlakyTest.seen_at >= since)
        .group_by(FlakyTest.case_key)
    )
    return {row[0]: row[1] for row in core.session.execute(query)} if keys else {}


def flakiest_tests(core: Core, project: Project, since: datetime, count: int) -> list[Flaky]:
    """The `count` tests that did both on the most commits since then, the worst first."""
    commits = func.count(FlakyTest.sha.distinct())
    query = (
        select(
            FlakyTest.case_key,
            func.max(FlakyTest.suite),
            func.max(FlakyTest.title),
            commits,
            func.max(FlakyTest.seen_at, type_=FlakyTest.seen_at.type),
        )
        .where(FlakyTest.project_id == project.id, FlakyTest.seen_at >= since)
        .group_by(FlakyTest.case_key)
        .order_by(commits.desc(), FlakyTest.case_key)
        .limit(count)
    )
    return [Flaky(*row) for row in core.session.execute(query)]
