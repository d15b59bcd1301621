"""How a project's pipelines and jobs did day by day: computed by the database from two indexes, in bounded windows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, Subquery, case, func, select

from app.domain import status
from app.models import Job, Pipeline, Project
from app.services.core import Core
from app.services.reports.trend_sql import percentile, position, seconds_between, utc_day

#: The windows that can be asked for, in days.
WINDOWS = (7, 30, 90)
#: Of a window, no more than the newest of each are counted: a page stays quick however many there are.
MOST_PIPELINES = 5_000
MOST_JOBS = 10_000
#: How many jobs the lists of the slowest and the flakiest have.
LISTED = 10


@dataclass(frozen=True, slots=True)
class PipelineDay:
    """The pipelines that ended on one day: how many, how many of these passed, and how long they took, in seconds."""

    day: date
    total: int = 0
    passed: int = 0
    p50: float | None = None
    p95: float | None = None

    @property
    def success_rate(self) -> float | None:
        """In percent."""
        return 100 * self.passed / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class JobDay:
    """The jobs that ended on one day: how long they waited for a runner, in seconds, and their mean coverage in
    percent.
    """

    day: date
    total: int = 0
    queue_p50: float | None = None
    queue_p95: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class JobTrend:
    """All runs of one job in the window. `flaky`: in how many pipelines it failed, and passed when tried again."""

    name: str
    total: int
    failed: int
    p50: float | None
    p95: float | None
    flaky: int = 0

    @property
    def failure_rate(self) -> float:
        """In percent."""
        return 100 * self.failed / self.total


@dataclass(frozen=True, slots=True)
class Trends:
    """A project's trends. The days are all of the window, oldest first; a day without any has a total of 0.

    `truncated`: there were more than what is counted, so that the oldest days are incomplete.
    """

    pipelines: list[PipelineDay]
    jobs: list[JobDay]
    slowest: list[JobTrend]
    flakiest: list[JobTrend]
    truncated: bool


def show_trends(core: Core, project: Project, days: int, ref: str = "") -> Trends:
    """The trends of the last `days` days, today included; `ref` "" for the pipelines of every branch and tag. What is
    told of jobs is always of every branch.
    """
    today = core.now()
    since = (today - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    calendar = [(since + timedelta(days=number)).date() for number in range(days)]
    pipelines = {row[0]: row for row in core.session.execute(pipeline_days(project.id, since, ref))}
    jobs = {row[0]: row for row in core.session.execute(job_days(project.id, since))}
    names = [JobTrend(*row) for row in core.session.execute(job_names(project.id, since))]
    flaky = {row[0]: row[1] for row in core.session.execute(flaky_jobs(project.id, since))}
    return Trends(
        pipelines=[_pipeline_day(day, pipelines.get(day.isoformat())) for day in calendar],
        jobs=[_job_day(day, jobs.get(day.isoformat())) for day in calendar],
        slowest=_slowest(names),
        flakiest=_flakiest(names, flaky),
        truncated=sum(row[1] for row in pipelines.values()) >= MOST_PIPELINES
        or sum(row[1] for row in jobs.values()) >= MOST_JOBS,
    )


def _pipeline_day(day: date, row: Any) -> PipelineDay:
    return PipelineDay(day, *row[1:]) if row else PipelineDay(day)


def _job_day(day: date, row: Any) -> JobDay:
    return JobDay(day, *row[1:]) if row else JobDay(day)


def _slowest(names: list[JobTrend]) -> list[JobTrend]:
    timed = [one for one in names if one.p95 is not None]
    return sorted(timed, key=lambda one: (-(one.p95 or 0.0), one.name))[:LISTED]


def _flakiest(names: list[JobTrend], flaky: dict[str, int]) -> list[JobTrend]:
    found = [
        JobTrend(one.name, one.total, one.failed, one.p50, one.p95, flaky[one.name])
        for one in names
        if one.name in flaky
    ]
    return sorted(found, key=lambda one: (-one.flaky, one.name))[:LISTED]


def pipeline_days(project_id: int, since: datetime, ref: str) -> Select[Any]:
    """day, total, passed, p50, p95 of each day that has any."""
    query = select(
        utc_day(Pipeline.finished_at).label("day"),
        case((Pipeline.status == status.SUCCESS, 1), else_=0).label("passed"),
        seconds_between(func.coalesce(Pipeline.started_at, Pipeline.created_at), Pipeline.finished_at).label("seconds"),
    ).where(
        Pipeline.project_id == project_id,
        Pipeline.finished_at >= since,
        Pipeline.status.in_((status.SUCCESS, status.FAILED)),
    )
    query = query.where(Pipeline.ref == ref) if ref else query
    recent = query.order_by(Pipeline.finished_at.desc()).limit(MOST_PIPELINES).subquery()
    place, count = position(recent.c.seconds, recent.c.day)
    ranked = select(recent, place.label("place"), count.label("timed")).subquery()
    return select(
        ranked.c.day,
        func.count(),
        func.sum(ranked.c.passed),
        percentile(ranked.c.seconds, ranked.c.place, ranked.c.timed, 50),
        percentile(ranked.c.seconds, ranked.c.place, ranked.c.timed, 95),
    ).group_by(ranked.c.day)


def _recent_jobs(project_id: int, since: datetime) -> Subquery:
    """The newest jobs of the window that passed or failed: all of it stands in one index."""
    return (
        select(
            Job.name,
            Job.pipeline_id,
            utc_day(Job.finished_at).label("day"),
            case((Job.status == status.FAILED, 1), else_=0).label("failed"),
            seconds_between(Job.started_at, Job.finished_at).label("seconds"),
            seconds_between(Job.queued_at, Job.started_at).label("waited"),
            Job.coverage,
        )
        .where(
            Job.project_id == project_id,
            Job.finished_at >= since,
            Job.status.in_((status.SUCCESS, status.FAILED)),
        )
        .order_by(Job.finished_at.desc())
        .limit(MOST_JOBS)
        .subquery()
    )


def job_days(project_id: int, since: datetime) -> Select[Any]:
    """day, total, p50 and p95 of the waiting, mean coverage of each day that has any."""
    recent = _recent_jobs(project_id, since)
    place, count = position(recent.c.waited, recent.c.day)
    ranked = select(recent, place.label("place"), count.label("timed")).subquery()
    return select(
        ranked.c.day,
        func.count(),
        percentile(ranked.c.waited, ranked.c.place, ranked.c.timed, 50),
        percentile(ranked.c.waited, ranked.c.place, ranked.c.timed, 95),
        func.avg(ranked.c.coverage),
    ).group_by(ranked.c.day)


def job_names(project_id: int, since: datetime) -> Select[Any]:
    """name, total, failed, p50, p95 of each job."""
    recent = _recent_jobs(project_id, since)
    place, count = position(recent.c.seconds, recent.c.name)
    ranked = select(recent, place.label("place"), count.label("timed")).subquery()
    return select(
        ranked.c.name,
        func.count(),
        func.sum(ranked.c.failed),
        percentile(ranked.c.seconds, ranked.c.place, ranked.c.timed, 50),
        percentile(ranked.c.seconds, ranked.c.place, ranked.c.timed, 95),
    ).group_by(ranked.c.name)


def flaky_jobs(project_id: int, since: datetime) -> Select[Any]:
    """name and in how many pipelines the job both failed and passed; jobs that never did are left out."""
    recent = _recent_jobs(project_id, since)
    both = (
        select(recent.c.name)
        .group_by(recent.c.pipeline_id, recent.c.name)
        .having(func.max(recent.c.failed) == 1, func.min(recent.c.failed) == 0)
        .subquery()
    )
    return select(both.c.name, func.count()).group_by(both.c.name)
