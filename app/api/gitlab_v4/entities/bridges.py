"""Trigger jobs (gitlab.md B.2, "Bridge")."""

from collections.abc import Sequence
from typing import Any

from app.api.gitlab_v4.entities.jobs import job_basic
from app.api.gitlab_v4.entities.pipelines import pipeline_basic
from app.domain.permissions import Action
from app.models import Job, Pipeline, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.pipeline_links import downstream_of_jobs


def bridges(core: Core, rows: Sequence[Job], user: User | None) -> list[dict[str, Any]]:
    """The entities of `rows`, which `list_jobs.LOADED` loaded. Pipelines that `user` may not read are left out."""
    started = downstream_of_jobs(core, [row.id for row in rows])
    return [job_basic(core, row) | {"downstream_pipeline": _pipeline(core, started.get(row.id), user)} for row in rows]


def _pipeline(core: Core, pipeline: Pipeline | None, user: User | None) -> dict[str, Any] | None:
    if pipeline is None or not access.may(core, Action.READ_PIPELINE, user, pipeline.project):
        return None
    return pipeline_basic(core, pipeline)
