"""Variables that jobs hand on by dotenv reports (gitlab.md C.14)."""

from sqlalchemy import select

from app.domain.plan import Variable
from app.models import DotenvReport, Job
from app.services.core import Core
from app.services.pipelines.variables import open_variables
from app.services.runners import dependencies


def dotenv_variables(core: Core, job: Job) -> list[Variable]:
    """What `job` itself has reported so far, in its order; empty where it reported nothing."""
    report = core.session.get(DotenvReport, job.id)
    if report is None:
        return []
    return open_variables(core, report.variables_sealed, DotenvReport.seal_context(job.id))


def inherited_variables(core: Core, job: Job) -> list[Variable]:
    """What `job` gets from the jobs whose artifacts it gets; of equal keys the later job's comes last, and counts."""
    ids = [other.id for other in dependencies.jobs_of(core, job)]
    if not ids:
        return []
    rows = core.session.scalars(select(DotenvReport).where(DotenvReport.job_id.in_(ids)))
    found = {row.job_id: row.variables_sealed for row in rows}
    return [
        variable
        for job_id in ids
        if job_id in found
        for variable in open_variables(core, found[job_id], DotenvReport.seal_context(job_id))
    ]
