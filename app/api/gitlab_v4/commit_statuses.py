"""What is known of a commit's fate: its jobs, and what other systems report (gitlab.md B.10)."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities.repositories import commit_status
from app.api.gitlab_v4.errors import BadParams, message
from app.api.gitlab_v4.pagination import PAGED, of_list
from app.api.gitlab_v4.params import Kind, Param
from app.domain import external_status
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.git.history import require_commit
from app.services.pipelines import commit_statuses
from app.services.pipelines.report_commit_status import Report, report_commit_status

routes = Routes()


@routes.get(
    "/projects/<id>/repository/commits/<sha>/statuses",
    params=(
        Param("ref", help="Of pipelines of this branch or tag"),
        Param("stage"),
        Param("name"),
        Param("pipeline_id", Kind.INTEGER),
        Param("all", Kind.BOOLEAN, default=False, help="Also those that were retried"),
        Param("order_by", values=("id", "pipeline_id"), default="id"),
        Param("sort", values=("asc", "desc"), default="asc"),
        *PAGED,
    ),
    callers=READERS,
)
def list_commit_statuses(call: Call) -> Response:
    """List the statuses of a commit: the jobs of its pipelines, and what other systems reported"""
    project, params = call.project(Action.READ_PIPELINE), call.params
    sha = require_commit(call.core.repositories.open(project.id), params["sha"], project.default_branch)
    wanted = commit_statuses.StatusFilter(
        ref=params.get("ref"),
        stage=params.get("stage"),
        name=params.get("name"),
        pipeline_id=params.get("pipeline_id"),
        everything=params["all"],
    )
    rows = commit_statuses.statuses_of(call.core, project, sha, wanted)
    if params["order_by"] == "pipeline_id":
        rows.sort(key=lambda row: row.pipeline_id)
    if params["sort"] == "desc":
        rows.reverse()
    return of_list(call, rows, lambda page: [commit_status(call.core, row) for row in page])


@routes.post(
    "/projects/<id>/statuses/<sha>",
    params=(
        Param("state", required=True, values=external_status.STATES),
        Param("ref", help="The branch or tag that it is about"),
        Param("name", help="Says which status it is: default when missing"),
        Param("context", help="The same as name"),
        Param("target_url", help="Where the other system shows it"),
        Param("description"),
        Param("coverage", help="In percent"),
        Param("pipeline_id", Kind.INTEGER, help="The pipeline it belongs to, where a commit has several"),
    ),
)
def create_commit_status(call: Call) -> dict[str, Any]:
    """Report how another system stands with a commit"""
    project, params = call.project(Action.UPDATE_PIPELINE), call.params
    report = Report(
        state=params["state"],
        ref=params.get("ref") or None,
        name=params.get("name") or params.get("context") or "default",
        target_url=params.get("target_url"),
        description=params.get("description"),
        coverage=_coverage(params.get("coverage")),
        pipeline_id=params.get("pipeline_id"),
    )
    try:
        noted = report_commit_status(call.core, project, call.signed_in, params["sha"], report)
    except InvalidRequest as error:
        if error.field:
            raise
        raise message(400, str(error)) from error
    return commit_status(call.core, noted)


def _coverage(text: str | None) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise BadParams("coverage is invalid") from error
    if not 0 <= value <= 100:
        raise BadParams("coverage is invalid")
    return value
