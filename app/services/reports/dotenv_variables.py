"""Variables that jobs hand on by dotenv reports (gitlab.md C.14)."""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from app.domain.plan import Variable
from app.models import DotenvReport, Job
from app.services.core import Core


def sealed_report(core: Core, job_id: int, variables: Mapping[str, str]) -> DotenvReport:
    """The row that keeps what a job reported."""
    return DotenvReport(
        job_id=job_id, variables_sealed=core.box.seal(json.dumps(dict(variables)), DotenvReport.seal_context(job_id))
    )


def dotenv_variables(core: Core, job: Job) -> list[Variable]:
    """What `job` itself has reported so far, in its order; empty where it reported nothing."""
    report = core.session.get(DotenvReport, job.id)
    return [] if report is None else _opened(core, report)


def inherited_variables(core: Core, jobs: Iterable[Job]) -> list[Variable]:
    """What a job gets from `jobs`, whose artifacts it gets; of equal keys the later job's comes last, and counts."""
    ids = [other.id for other in jobs]
    rows = core.session.scalars(select(DotenvReport).where(DotenvReport.job_id.in_(ids))) if ids else ()
    found = {row.job_id: row for row in rows}
    return [variable for job_id in ids if job_id in found for variable in _opened(core, found[job_id])]


def _opened(core: Core, report: DotenvReport) -> list[Variable]:
    kept = json.loads(core.box.open(report.variables_sealed, DotenvReport.seal_context(report.job_id)))
    return [Variable(key, value, public=False) for key, value in kept.items()]
