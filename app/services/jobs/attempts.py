"""A new attempt at a job: retries by people and by the retry policy are rows of their own."""

from app.domain import status
from app.models import Job, JobStep
from app.services.core import Core
from app.services.environments.deployments import add_deployments

#: What a new attempt takes from the one before. The rest of the row begins anew.
_KEPT = (
    "project_id",
    "pipeline_id",
    "bridge",
    "name",
    "stage",
    "stage_index",
    "when",
    "needs",
    "plan",
    "variables_sealed",
    "tag_set_id",
    "protected",
    "required_features",
    "timeout",
    "interruptible",
    "resource_group_id",
    "delivers",
)


def new_attempt(core: Core, job: Job, user_id: int | None, enqueue_immediately: bool = False) -> Job:
    """*In a write*, with the pipeline held: a created copy of `job`, which is `retried` from now on. Its id is set.

    `enqueue_immediately`: nobody has to start it once more, and it waits for no time, where it is manual or delayed.
    """
    now = core.now()
    copy = Job(
        **{name: getattr(job, name) for name in _KEPT},
        user_id=user_id,
        status=status.CREATED,
        enqueue_immediately=enqueue_immediately and job.when in ("manual", "delayed"),
        allow_failure=bool(job.plan.get("allow_failure", False)),
        attempt=job.attempt + 1,
        created_at=now,
        updated_at=now,
    )
    copy.steps = [
        JobStep(position=step.position, name=step.name, phase=step.phase, image=step.image) for step in job.steps
    ]
    job.retried, job.updated_at = True, now
    core.session.add(copy)
    core.session.flush()
    add_deployments(core, copy.pipeline, [copy])
    return copy
