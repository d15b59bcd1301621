"""Resources: what a job of a resource group holds while it runs, so that no other one of the group does (C.11)."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Select, select, update

from app.domain import status
from app.domain.resource_groups import NEWEST_PIPELINE_FIRST, UNORDERED, in_line
from app.models import Job, Resource, ResourceGroup
from app.services.core import Core


def group_ids(core: Core, project_id: int, keys: Iterable[str | None]) -> Mapping[str | None, int | None]:
    """*In a write*, with the project held: the ids of its resource groups of these keys, made where there are none.

    No key is no group: None maps to None.
    """
    wanted = sorted({key for key in keys if key})
    if not wanted:
        return {None: None}
    in_project = ResourceGroup.project_id == project_id
    known = core.session.execute(
        select(ResourceGroup.key, ResourceGroup.id).where(in_project, ResourceGroup.key.in_(wanted))
    )
    found: dict[str | None, int | None] = {None: None} | {row.key: row.id for row in known}
    now = core.now()
    for key in wanted:
        if key not in found:
            group = ResourceGroup(project_id=project_id, key=key, created_at=now, updated_at=now)
            core.session.add(group)
            core.session.flush()
            core.session.add(Resource(resource_group_id=group.id))
            found[key] = group.id
    return found


def next_in_turn(core: Core, group_id: int) -> int | None:
    """The job that gets the group's resource next. None: the resource is held, or nobody's turn has come."""
    query = (
        select(ResourceGroup.process_mode)
        .join(Resource, Resource.resource_group_id == ResourceGroup.id)
        .where(ResourceGroup.id == group_id, Resource.job_id.is_(None))
    )
    mode = core.session.scalar(query)
    if mode is None:
        return None
    head = core.session.execute(line(group_id, mode).with_only_columns(Job.id, Job.status).limit(1)).one_or_none()
    return head.id if head is not None and head.status == status.WAITING_FOR_RESOURCE else None


def line(group_id: int, mode: str) -> Select[Job]:
    """The jobs that the group's resource goes to by `mode` (`domain.resource_groups`), the next one first."""
    query = select(Job).where(Job.resource_group_id == group_id, Job.retried.is_(False), Job.status.in_(in_line(mode)))
    if mode == UNORDERED:
        return query.order_by(Job.id)
    pipeline = Job.pipeline_id.desc() if mode in NEWEST_PIPELINE_FIRST else Job.pipeline_id
    return query.order_by(pipeline, Job.status != status.WAITING_FOR_RESOURCE, Job.id)


def take(core: Core, group_id: int, job_id: int) -> bool:
    """*In a write*, with the job held: whether the resource was free, and is the job's from now on."""
    free = update(Resource).where(Resource.resource_group_id == group_id, Resource.job_id.is_(None))
    taken = core.session.scalar(free.values(job_id=job_id).returning(Resource.id))
    return taken is not None


def release(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: it holds nothing from now on. Does nothing where it held nothing."""
    core.session.execute(update(Resource).where(Resource.job_id == job.id).values(job_id=None))


def groups_in_want(core: Core) -> list[int]:
    """The groups whose resource is free while jobs wait for it."""
    waiting = (
        select(Job.resource_group_id)
        .join(Resource, Resource.resource_group_id == Job.resource_group_id)
        .where(Job.status == status.WAITING_FOR_RESOURCE, Resource.job_id.is_(None))
    )
    return [group for group in core.session.scalars(waiting.distinct()) if group is not None]


def waiting_sentences(core: Core, jobs: Iterable[Job]) -> dict[int, str]:
    """Why each of `jobs` that waits for its group's resource does so, by the job's id: who holds it."""
    groups = {job.id: job.resource_group_id for job in jobs if job.status == status.WAITING_FOR_RESOURCE}
    if not groups:
        return {}
    rows = core.session.execute(
        select(ResourceGroup.id, ResourceGroup.key, Resource.job_id)
        .join(Resource, Resource.resource_group_id == ResourceGroup.id)
        .where(ResourceGroup.id.in_(groups.values()))
    )
    known = {row.id: _sentence(row.key, row.job_id) for row in rows}
    return {job_id: known[group] for job_id, group in groups.items() if group in known}


def _sentence(key: str, holder: int | None) -> str:
    if holder is None:
        return f"Waits for its turn in the resource group {key}."
    return f"Waits for the resource group {key}, which is held by #{holder}."
