"""The tests of a pipeline and of a job, as their JUnit reports tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from app.domain import junit
from app.models import Job, JunitCase, JunitReport, Pipeline
from app.services.core import Core
from app.services.reports.judge_cases import Judgement, judge_cases

#: How many cases a page shows of a job or a pipeline; failures come first.
SHOWN = 200


@dataclass(slots=True)
class Suite:
    """All tests of one job, or of the instances of one parallel job. `problem`: what could not be read."""

    name: str
    job_ids: list[int] = field(default_factory=list)
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(junit.STATUSES, 0))
    problem: str | None = None
    cases: list[JunitCase] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def add(self, report: JunitReport) -> None:
        self.job_ids.append(report.job_id)
        self.seconds += report.seconds
        self.problem = self.problem or report.problem
        for status in junit.STATUSES:
            self.counts[status] += getattr(report, status)


@dataclass(frozen=True, slots=True)
class ShownTests:
    """The tests that a page shows: figures of all, and the first cases, failures before all others, each with what
    history says of it.
    """

    counts: dict[str, int]
    seconds: float
    problems: list[str]
    cases: list[JunitCase]
    judgements: dict[int, Judgement]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def new(self) -> int:
        """How many of the shown failures the last run of the target branch did not have."""
        return sum(bool(one.new) for one in self.judgements.values())


def suites_of(core: Core, pipeline: Pipeline, with_cases: bool = False) -> list[Suite]:
    """The suites of a pipeline in the order of its jobs, those that were retried left out."""
    rows = core.session.scalars(
        select(JunitReport)
        .join(Job, Job.id == JunitReport.job_id)
        .where(Job.pipeline_id == pipeline.id, Job.retried.is_(False))
        .order_by(Job.stage_index, Job.id)
    )
    found: dict[str, Suite] = {}
    for report in rows:
        found.setdefault(report.suite, Suite(report.suite)).add(report)
    suites = list(found.values())
    if with_cases:
        _load_cases(core, suites)
    return suites


def _load_cases(core: Core, suites: Sequence[Suite]) -> None:
    owners = {job_id: suite for suite in suites for job_id in suite.job_ids}
    query = select(JunitCase).where(JunitCase.job_id.in_(owners)).order_by(JunitCase.rank, JunitCase.id)
    for case in core.session.scalars(query):
        owners[case.job_id].cases.append(case)


def job_tests(core: Core, job: Job) -> ShownTests | None:
    """What the page of a job shows of its tests; None where it has no report."""
    report = core.session.get(JunitReport, job.id)
    return None if report is None else _shown(core, job.pipeline, [report])


def pipeline_tests(core: Core, pipeline: Pipeline) -> ShownTests | None:
    """What the page of a pipeline shows of its tests; None where no job of it has a report."""
    rows = core.session.scalars(
        select(JunitReport)
        .join(Job, Job.id == JunitReport.job_id)
        .where(Job.pipeline_id == pipeline.id, Job.retried.is_(False))
        .order_by(Job.id)
    ).all()
    return _shown(core, pipeline, rows) if rows else None


def _shown(core: Core, pipeline: Pipeline, reports: Sequence[JunitReport]) -> ShownTests:
    query = (
        select(JunitCase)
        .where(JunitCase.job_id.in_([report.job_id for report in reports]))
        .order_by(JunitCase.rank, JunitCase.id)
        .limit(SHOWN)
    )
    cases = list(core.session.scalars(query))
    return ShownTests(
        counts={status: sum(getattr(report, status) for report in reports) for status in junit.STATUSES},
        seconds=sum(report.seconds for report in reports),
        problems=[f"{report.suite}: {report.problem}" for report in reports if report.problem],
        cases=cases,
        judgements=judge_cases(core, pipeline, cases),
    )
