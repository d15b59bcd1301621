"""A job with `release` has passed: its release is ordered in the transaction of its end, so that no crash loses it.

`make_ordered_releases` makes it a moment later: a tag starts a pipeline, which takes a transaction of its own. What can
be known to go wrong is asked before the job counts as passed, because then the job has failed.
"""

from collections.abc import Sequence

from app.domain import refs
from app.domain.errors import SkerryError
from app.domain.permissions import Action
from app.domain.plan import Variable
from app.models import Job, ReleaseOrder
from app.services import access
from app.services.core import Core
from app.services.releases.release_of_job import released_at, spec_of
from app.services.releases.resolve_ref import resolve_ref
from app.services.repositories.protected_refs import may_act_on
from app.services.repositories.tag_refusal import refusal


def order_release(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: order the release that its plan asks for, if it asks for one."""
    if job.plan.get("release") is not None and core.session.get(ReleaseOrder, job.id) is None:
        core.session.add(ReleaseOrder(job_id=job.id, created_at=core.now()))


def why_not(core: Core, job: Job, variables: Sequence[Variable]) -> str | None:
    """Why the release of `job` cannot be made, in a sentence; None where it can, or where there is none to make."""
    try:
        spec = spec_of(job, variables)
        if spec is None:
            return None
        released_at(spec)
        if not access.may(core, Action.ADMIN_RELEASES, job.user, job.project):
            return "Whoever the job runs for may not make releases."
        if job.project.repository == "none" or not refs.is_valid_name(spec.tag_name):
            return refusal(core, job.project, job.user, spec.tag_name)
        if core.repositories.open(job.project_id).current([refs.TAG_PREFIX + spec.tag_name]):
            allowed = job.user is not None and may_act_on(core, job.user, job.project, spec.tag_name, True)
            return None if allowed else f"The tag {spec.tag_name} is protected."
        resolve_ref(core, job.project, spec.ref or job.pipeline.sha)
        return refusal(core, job.project, job.user, spec.tag_name)
    except SkerryError as error:
        return str(error)
