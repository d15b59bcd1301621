"""Which projects' jobs may use their tokens in a project (GitLab's "job token scope").

A job always reaches its own project. Elsewhere it reaches what is open to everyone; where the project has granted its
project or one of the groups above that, or does not limit tokens at all, it has the rights of whoever started it.
"""

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.models import Group, Job, JobTokenGrant, Project, write
from app.services import access
from app.services.audit.record import record
from app.services.core import Core

MAX_GRANTS = 400


def admits(core: Core, job: Job, project: Project) -> bool:
    """Whether the token of `job` counts in `project`."""
    if job.project_id == project.id or not project.limit_job_tokens:
        return True
    sources = or_(
        JobTokenGrant.source_project_id == job.project_id,
        JobTokenGrant.source_group_id.in_(access.group_chain(core, job.project.group)),
    )
    return core.session.scalar(_grants(project).where(sources).limit(1)) is not None


def limit_job_tokens(core: Core, project: Project, limited: bool) -> None:
    """Whether other projects' job tokens need a grant in `project`."""
    project_id = project.id
    with write(core.session):
        held = core.session.get_one(Project, project_id)
        record(core, Act.JOB_TOKENS_LIMITED, held.full_path, place=held, details={"limited": limited})
        held.limit_job_tokens = limited


def granted_projects(core: Core, project: Project) -> list[Project]:
    """The projects whose jobs reach `project`, itself first."""
    rows = core.session.scalars(_grants(project).options(joinedload(JobTokenGrant.source_project)))
    return [project, *(row.source_project for row in rows if row.source_project)]


def granted_groups(core: Core, project: Project) -> list[Group]:
    """The groups whose projects' jobs reach `project`."""
    rows = core.session.scalars(_grants(project).options(joinedload(JobTokenGrant.source_group)))
    return [row.source_group for row in rows if row.source_group]


def grant(core: Core, project: Project, source: Project | Group) -> None:
    """Let jobs of `source` use their tokens in `project`. Raises AlreadyExists, InvalidRequest."""
    project_id, owner = project.id, _source(source)
    if owner.get("source_project_id") == project_id:
        raise InvalidRequest("the jobs of a project always reach it", "base")
    with write(core.session):
        core.session.get_one(Project, project_id, with_for_update=True)
        known = core.session.scalars(select(JobTokenGrant).where(JobTokenGrant.project_id == project_id)).all()
        if any(all(getattr(row, name) == value for name, value in owner.items()) for row in known):
            raise AlreadyExists("has already been taken", "target")
        if len(known) >= MAX_GRANTS:
            raise InvalidRequest(f"a project grants at most {MAX_GRANTS} projects and groups", "base")
        core.session.add(JobTokenGrant(project_id=project_id, created_at=core.now(), **owner))
        record(core, Act.JOB_TOKENS_GRANTED, source.full_path, place=project)


def revoke_grant(core: Core, project: Project, kind: type[Project] | type[Group], source_id: int) -> None:
    """Take a grant back. Raises NotFound."""
    column = JobTokenGrant.source_project_id if kind is Project else JobTokenGrant.source_group_id
    query = _grants(project).where(column == source_id)
    with write(core.session):
        row = core.session.scalar(query)
        if row is None:
            raise NotFound("")
        core.session.delete(row)
        source = row.source_project or row.source_group
        record(core, Act.JOB_TOKENS_REVOKED, source.full_path if source else "", place=project)


def _grants(project: Project) -> Select[JobTokenGrant]:
    return select(JobTokenGrant).where(JobTokenGrant.project_id == project.id).order_by(JobTokenGrant.id)


def _source(source: Project | Group) -> dict[str, int]:
    return {"source_project_id" if isinstance(source, Project) else "source_group_id": source.id}
