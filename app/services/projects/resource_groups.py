"""A project's resource groups: list, find, show who is in line, change whose turn it is."""

from sqlalchemy import Select, select

from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Action
from app.domain.resource_groups import PROCESS_MODES
from app.models import Job, Project, Resource, ResourceGroup, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs.list_jobs import LOADED
from app.services.jobs.resources import line
from app.services.pipelines.advance_pipeline import assign_later


def project_groups(project: Project) -> Select[ResourceGroup]:
    """The resource groups of `project`, by id."""
    return select(ResourceGroup).where(ResourceGroup.project_id == project.id).order_by(ResourceGroup.id)


def find_group(core: Core, project: Project, key: str) -> ResourceGroup:
    """The group of that key. Raises NotFound."""
    group = core.session.scalar(project_groups(project).where(ResourceGroup.key == key))
    if group is None:
        raise NotFound("Resource Group")
    return group


def upcoming_jobs(group: ResourceGroup) -> Select[Job]:
    """The jobs in line for the group's resource, the next one first, loaded to be shown."""
    return line(group.id, group.process_mode).options(*LOADED)


def current_job(core: Core, group: ResourceGroup) -> Job:
    """The job that holds the group's resource, loaded to be shown. Raises NotFound."""
    query = select(Job).join(Resource, Resource.job_id == Job.id).where(Resource.resource_group_id == group.id)
    job = core.session.scalar(query.options(*LOADED))
    if job is None:
        raise NotFound("Job")
    return job


def change_process_mode(core: Core, group: ResourceGroup, user: User | None, mode: str) -> ResourceGroup:
    """Say whose turn it is from now on. Raises InvalidRequest, NotAllowed, NotFound."""
    project = core.session.get_one(Project, group.project_id)
    access.require(core, Action.UPDATE_PIPELINE, user, project)
    if mode not in PROCESS_MODES:
        raise InvalidRequest("process_mode does not have a valid value", "process_mode")
    group_id = group.id
    with write(core.session):
        held = core.session.get_one(ResourceGroup, group_id, with_for_update=True, populate_existing=True)
        held.process_mode, held.updated_at = mode, core.now()
        assign_later(core, [group_id])  # it may be somebody's turn who was not at the head before
    return core.session.get_one(ResourceGroup, group_id)
