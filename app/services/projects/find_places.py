"""Where somebody may want to go who types a few letters or a number: projects, a pipeline, a job."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func

from app.domain.permissions import Action
from app.models import Job, Pipeline, Project, User
from app.services import access
from app.services.core import Core

LIMIT = 8
LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Places:
    """What was found, each in a project that the visitor may see."""

    projects: Sequence[Project]
    pipeline: Pipeline | None
    job: Job | None


def find_places(core: Core, user: User | None, text: str) -> Places:
    """Projects whose path holds every word of `text`, recently active first; the pipeline and job of a number."""
    words = text.lower().split()
    query = access.visible_projects(core, user).where(Project.archived.is_(False))
    for word in words:
        query = query.where(func.lower(Project.full_path).contains(word, autoescape=True))
    projects = core.session.scalars(query.order_by(Project.last_activity_at.desc(), Project.id).limit(LIMIT)).all()
    number = _number(text.strip().removeprefix("#"))
    if number is None:
        return Places(projects, None, None)
    pipeline, job = core.session.get(Pipeline, number), core.session.get(Job, number)
    return Places(
        projects,
        pipeline if pipeline and access.may(core, Action.READ_PIPELINE, user, pipeline.project) else None,
        job if job and access.may(core, Action.READ_JOB, user, job.project) else None,
    )


def _number(text: str) -> int | None:
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return found if found is not None and found <= LARGEST_KEY else None
