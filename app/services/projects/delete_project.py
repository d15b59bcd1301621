"""Delete a project with all that is in it."""

from sqlalchemy import delete, select

from app.domain.audit import Act
from app.domain.permissions import Action
from app.models import Artifact, Bot, Job, Pipeline, Project, User, after_commit, write
from app.services import access
from app.services.accounts.place_tokens import remove_bots
from app.services.artifacts.remove_artifacts import remove_artifacts
from app.services.audit.record import record
from app.services.core import Core
from app.services.locks import lock_pipeline, lock_project
from app.services.pipelines.cancel_pipeline import cancel_all
from app.services.pipelines.lost_downstream import fail_waiting


def delete_project(core: Core, project: Project, user: User) -> None:
    """Cancel what runs in `project`; remove its rows, logs, artifacts and repository. Raises NotAllowed, NotFound."""
    access.require(core, Action.DESTROY_PROJECT, user, project)
    project_id, full_path = project.id, project.full_path
    with write(core.session):
        lock_project(core, project_id)
        live = select(Pipeline.id).where(Pipeline.project_id == project_id, Pipeline.finished_at.is_(None))
        # All are held before anything moves: the queue's counter comes last (`locks`).
        for pipeline in [lock_pipeline(core, one) for one in core.session.scalars(live.order_by(Pipeline.id)).all()]:
            cancel_all(core, pipeline)
        job_ids = list(core.session.scalars(select(Job.id).where(Job.project_id == project_id)))
        remove_artifacts(core, core.session.scalars(select(Artifact).where(Artifact.project_id == project_id)))
        fail_waiting(core, select(Pipeline.id).where(Pipeline.project_id == project_id))
        core.session.flush()
        remove_bots(core, Bot.project_id == project_id)
        core.session.execute(delete(Project).where(Project.id == project_id))  # the database takes the rest along
        record(core, Act.PROJECT_DELETED, full_path)
        after_commit(core.session, lambda: _remove_files(core, project_id, job_ids))
    core.session.expire_all()


def _remove_files(core: Core, project_id: int, job_ids: list[int]) -> None:
    for job_id in job_ids:
        core.traces.remove(job_id)
    core.repositories.remove(project_id)
