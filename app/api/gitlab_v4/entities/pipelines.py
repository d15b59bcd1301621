"""Pipelines and commits."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso, pipeline_url, project_url
from app.api.gitlab_v4.entities.users import user_basic
from app.models import Pipeline
from app.services.core import Core
from app.services.pipelines import search_pipelines

_LABELS = {"success": "passed", "manual": "manual action", "scheduled": "delayed"}
_COMMIT_TEXTS = ("title", "message", "author_name", "author_email", "committer_name", "committer_email")
_COMMIT_TIMES = ("created_at", "authored_date", "committed_date")
_TEXTS = {"success": "Passed", "manual": "Manual", "scheduled": "Delayed", "waiting_for_resource": "Waiting"}


def pipeline_basic(core: Core, row: Pipeline) -> dict[str, Any]:
    """A pipeline, as a job shows its own."""
    return {
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "sha": row.sha,
        "ref": row.ref,
        "status": row.status,
        "source": row.source,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "web_url": pipeline_url(core, row),
    }


def pipeline_listed(core: Core, row: Pipeline) -> dict[str, Any]:
    """A pipeline in a list."""
    return pipeline_basic(core, row) | {"name": row.name}


def pipeline(core: Core, row: Pipeline) -> dict[str, Any]:
    """A pipeline by itself."""
    figures = search_pipelines.figures(core, row)
    queued = None if row.started_at is None else int((row.started_at - row.created_at).total_seconds())
    return pipeline_listed(core, row) | {
        "before_sha": row.before_sha,
        "tag": row.tag,
        "yaml_errors": row.yaml_errors,
        "user": user_basic(core, row.user) if row.user else None,
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "committed_at": None,
        "duration": figures.duration,
        "queued_duration": queued,
        "coverage": None if figures.coverage is None else f"{figures.coverage:.2f}",
        "detailed_status": detailed_status(core, row, figures.warnings),
        "archived": False,
    }


def detailed_status(core: Core, row: Pipeline, warnings: bool) -> dict[str, Any]:
    """The status as a page would word it. `warnings`: it passed although a job that may fail did."""
    warned = warnings and row.status == "success"
    group = "success-with-warnings" if warned else row.status.replace("_", "-")
    label = "passed with warnings" if warned else _LABELS.get(row.status, row.status.replace("_", " "))
    return {
        "icon": "status_warning" if warned else f"status_{row.status}",
        "text": "Warning" if warned else _TEXTS.get(row.status, row.status.replace("_", " ").capitalize()),
        "label": label,
        "group": group,
        "tooltip": label,
        "has_details": True,
        "details_path": f"/{row.project.full_path}/-/pipelines/{row.id}",
        "illustration": None,
        "favicon": None,
    }


def commit(core: Core, row: Pipeline) -> dict[str, Any]:
    """The commit of `row`, which was written down when the pipeline was made: it shows even when the branch is gone."""
    blank = {"id": row.sha, "short_id": row.sha[:8]} | dict.fromkeys(_COMMIT_TEXTS, "") | dict.fromkeys(_COMMIT_TIMES)
    empty: dict[str, Any] = {"parent_ids": [], "trailers": {}, "extended_trailers": {}}
    return blank | empty | row.commit | {"web_url": f"{project_url(core, row.project)}/-/commit/{row.sha}"}
