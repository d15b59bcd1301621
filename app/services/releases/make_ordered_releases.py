"""The releases of jobs that have passed. The background's leader calls it over and over."""

import structlog
from sqlalchemy import select

from app.domain.errors import InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Action
from app.models import Job, ReleaseOrder, write
from app.services import access
from app.services.core import Core
from app.services.environments.settled_variables import settled_variables
from app.services.releases.release_of_job import description, released_at, spec_of
from app.services.releases.save_release import ReleaseText, create_release

log = structlog.get_logger(__name__)
BATCH = 50
#: What did not work so often is given up, and said in the log.
ATTEMPTS = 10


def make_ordered_releases(core: Core) -> int:
    """Make what was ordered; return how many releases came of it. What fails is tried again in the next rounds."""
    orders = select(ReleaseOrder.job_id).order_by(ReleaseOrder.created_at).limit(BATCH)
    made = 0
    for job_id in core.session.scalars(orders).all():
        if core.bus.stopping:
            break
        made += _make(core, job_id)
    return made


def _make(core: Core, job_id: int) -> bool:
    job = core.session.get(Job, job_id)
    if job is None:
        return False
    try:
        _release(core, job)
    except (InvalidRequest, NotAllowed, NotFound) as error:  # it will not become right by waiting
        log.warning("a release could not be made", job=job_id, reason=str(error))
        _forget(core, job_id)
        return False
    except Exception:
        log.exception("a release could not be made yet", job=job_id)
        core.session.rollback()
        _count(core, job_id)
        return False
    _forget(core, job_id)
    return True


def _release(core: Core, job: Job) -> None:
    spec, user = spec_of(job, settled_variables(core, job)), job.user
    if spec is None:
        return
    if user is None:
        raise NotAllowed("nobody is left who could make the release")
    access.require(core, Action.ADMIN_RELEASES, user, job.project)
    text = ReleaseText(
        tag_name=spec.tag_name,
        name=spec.name,
        description=description(core, job, spec),
        ref=spec.ref or job.pipeline.sha,
        tag_message=spec.tag_message,
        released_at=released_at(spec),
        milestones=spec.milestones,
        links=spec.links,
    )
    create_release(core, job.project, user, text, again=True)


def _forget(core: Core, job_id: int) -> None:
    with write(core.session):
        order = core.session.get(ReleaseOrder, job_id)
        if order is not None:
            core.session.delete(order)


def _count(core: Core, job_id: int) -> None:
    with write(core.session):
        order = core.session.get(ReleaseOrder, job_id)
        if order is None:
            return
        order.attempts += 1
        if order.attempts >= ATTEMPTS:
            log.error("a release is given up", job=job_id)
            core.session.delete(order)
