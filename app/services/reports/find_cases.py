"""The tests of a pipeline, as its page of tests lists them: filtered, in an order, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select, tuple_

from app.domain import junit
from app.models import Job, JunitCase, JunitReport, Pipeline
from app.services.core import Core
from app.services.reports.judge_cases import Judgement, judge_cases

PAGE = 100
#: The words of `Wish.status`.
STATUSES = ("failed", "skipped", "success")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which cases to list. `status`: one of STATUSES (failed means errors too) or ""; `suite`, `text`: "" for any;
    `slowest`: by duration, the first page alone; `after`: (rank, id) of the last case of the page before.
    """

    status: str = ""
    suite: str = ""
    text: str = ""
    slowest: bool = False
    after: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FoundCases:
    """A page of cases, failures first or the slowest first. `jobs`: the job of each; `next`: where the next page goes
    on, None at the end.
    """

    cases: list[JunitCase]
    jobs: dict[int, Job]
    judgements: dict[int, Judgement]
    next: tuple[int, int] | None


def find_cases(core: Core, pipeline: Pipeline, wish: Wish) -> FoundCases:
    """The cases of the latest tries of the jobs of `pipeline`, as far as rows of them are kept."""
    jobs = _jobs(core, pipeline, wish.suite)
    query = _filtered(select(JunitCase).where(JunitCase.job_id.in_(jobs)), wish)
    if wish.slowest:
        query = query.order_by(JunitCase.seconds.desc(), JunitCase.id)
    else:
        query = query.order_by(JunitCase.rank, JunitCase.id)
    found: Sequence[JunitCase] = core.session.scalars(query.limit(PAGE + 1)).all()
    cases = list(found[:PAGE])
    more = len(found) > PAGE and not wish.slowest
    return FoundCases(
        cases=cases,
        jobs=jobs,
        judgements=judge_cases(core, pipeline, cases),
        next=(cases[-1].rank, cases[-1].id) if more else None,
    )


def _jobs(core: Core, pipeline: Pipeline, suite: str) -> dict[int, Job]:
    query = (
        select(Job)
        .join(JunitReport, JunitReport.job_id == Job.id)
        .where(Job.pipeline_id == pipeline.id, Job.retried.is_(False))
    )
    rows = core.session.scalars(query.where(JunitReport.suite == suite) if suite else query)
    return {job.id: job for job in rows}


def _filtered(query: Select[JunitCase], wish: Wish) -> Select[JunitCase]:
    if wish.status == "failed":
        query = query.where(JunitCase.status.in_((junit.FAILED, junit.ERROR)))
    elif wish.status:
        query = query.where(JunitCase.status == wish.status)
    if wish.text:
        columns = (JunitCase.classname, JunitCase.name, JunitCase.file)
        query = query.where(or_(*(column.icontains(wish.text, autoescape=True) for column in columns)))
    if wish.after:
        query = query.where(tuple_(JunitCase.rank, JunitCase.id) > tuple_(*wish.after))
    return query
