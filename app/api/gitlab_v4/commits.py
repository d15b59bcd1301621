"""Commits of a project's repository, and what changed in them."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from sqlalchemy import select

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import pipelines as pipeline_entities
from app.api.gitlab_v4.entities import repositories as entities
from app.api.gitlab_v4.errors import BadParams, not_found
from app.api.gitlab_v4.pagination import PAGED, fetched, of_list
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.git import changes, history
from app.git.repository import Repository
from app.models import Pipeline, Project
from app.services import access

routes = Routes()
#: So many commits of a comparison are shown.
MAX_COMPARED = 1000
FILTERS = (
    Param("ref_name", help="A branch, a tag or a commit; the default branch when missing"),
    Param("since", Kind.TIME),
    Param("until", Kind.TIME),
    Param("path", help="Commits that changed this file or folder"),
    Param("author", help="Part of the author's name or address"),
    Param("all", Kind.BOOLEAN, default=False, help="Of all branches and tags"),
    Param("with_stats", Kind.BOOLEAN, default=False),
    Param("first_parent", Kind.BOOLEAN, default=False),
    Param("order", values=("default", "topo"), default="default"),
)
STATS = Param("stats", Kind.BOOLEAN, default=True, help="With the number of lines that changed")


def _opened(call: Call) -> tuple[Project, Repository]:
    project = call.project(Action.READ_CODE)
    return project, call.core.repositories.open(project.id)


def _commit(call: Call, project: Project, repository: Repository) -> dict[str, Any]:
    found = history.require_commit(repository, call.params["sha"], project.default_branch)
    return repository.commit(found)


def _parent(details: dict[str, Any]) -> str | None:
    return details["parent_ids"][0] if details["parent_ids"] else None


def _stats(repository: Repository, details: dict[str, Any]) -> dict[str, Any]:
    figures = changes.totals(repository, _parent(details), details["id"])
    added, removed = figures.additions, figures.deletions
    return {"stats": {"additions": added, "deletions": removed, "total": added + removed}}


@routes.get("/projects/<id>/repository/commits", params=(*FILTERS, *PAGED), callers=READERS)
def list_commits(call: Call) -> Response:
    """List commits, newest first. Nobody counts them: there are no totals"""
    project, repository = _opened(call)
    params = call.params
    name = params.get("ref_name") or project.default_branch
    start = history.find_commit(repository, name, project.default_branch) if repository.exists else None
    if start is None and params.get("ref_name"):
        raise not_found("Reference")
    walk = history.Walk(
        path=params.get("path") or None,
        since=params.get("since"),
        until=params.get("until"),
        author=params.get("author") or None,
        first_parent=params["first_parent"],
        everything=params["all"],
        topological=params["order"] == "topo",
    )

    def fetch(skip: int, count: int) -> Sequence[str]:
        return history.list_commits(repository, start, walk, skip, count) if start else []

    def render(ids: Sequence[Any]) -> list[dict[str, Any]]:
        rows = history.read_commits(repository, ids) if ids else []
        figures = [_stats(repository, row) if params["with_stats"] else {} for row in rows]
        return [entities.commit(call.core, project, row) | more for row, more in zip(rows, figures, strict=True)]

    return fetched(call, fetch, render)


@routes.get("/projects/<id>/repository/commits/<sha>", params=(STATS,), callers=READERS)
def get_commit(call: Call) -> dict[str, Any]:
    """Get a commit by its id, a branch or a tag"""
    project, repository = _opened(call)
    details = _commit(call, project, repository)
    shown = entities.commit(call.core, project, details) | {"project_id": project.id, "status": None}
    if access.may(call.core, Action.READ_PIPELINE, call.user, project):
        query = select(Pipeline).where(Pipeline.project_id == project.id, Pipeline.sha == details["id"])
        last = call.core.session.scalar(query.order_by(Pipeline.id.desc()).limit(1))
        shown |= {
            "status": last.status if last else None,
            "last_pipeline": pipeline_entities.pipeline_basic(call.core, last) if last else None,
        }
    return shown | (_stats(repository, details) if call.params["stats"] else {})


@routes.get(
    "/projects/<id>/repository/commits/<sha>/refs",
    params=(Param("type", values=("branch", "tag", "all"), default="all"), *PAGED),
    callers=READERS,
)
def list_commit_refs(call: Call) -> Response:
    """List the branches and tags that have a commit"""
    project, repository = _opened(call)
    details, kind = _commit(call, project, repository), call.params["type"]
    rows = [
        {"type": "tag" if ref.is_tag else "branch", "name": ref.name}
        for ref in history.refs_with(repository, details["id"])
    ]
    return of_list(call, [row for row in rows if kind in ("all", row["type"])], list)


@routes.get("/projects/<id>/repository/commits/<sha>/diff", params=PAGED, callers=READERS)
def list_commit_changes(call: Call) -> Response:
    """List the files that a commit changed"""
    project, repository = _opened(call)
    details = _commit(call, project, repository)
    rows = changes.changes(repository, _parent(details), details["id"])
    return of_list(call, rows, lambda page: [entities.change(row) for row in page])


@routes.get(
    "/projects/<id>/repository/compare",
    params=(
        Param("from", required=True, help="A branch, a tag or a commit"),
        Param("to", required=True, help="A branch, a tag or a commit"),
        Param("straight", Kind.BOOLEAN, default=False, help="From exactly there, not from where both parted"),
    ),
    callers=READERS,
)
def compare(call: Call) -> dict[str, Any]:
    """Compare two branches, tags or commits"""
    project, repository = _opened(call)
    if not repository.exists:
        raise not_found("Ref")
    sides = [history.find_commit(repository, call.params[name], project.default_branch) for name in ("from", "to")]
    old, new = sides
    if old is None or new is None:
        raise not_found("Ref")
    base = old if call.params["straight"] else repository.merge_base(old, new)
    if base is None:
        raise BadParams("from and to have no commit in common")
    rows = history.read_commits(repository, history.commits_between(repository, old, new, MAX_COMPARED))
    commits = [entities.commit(call.core, project, row) for row in rows]
    return {
        "commit": commits[-1] if commits else None,
        "commits": commits,
        "diffs": [entities.change(row) for row in changes.changes(repository, base, new)],
        "compare_timeout": False,
        "compare_same_ref": old == new,
        "web_url": f"{call.core.config.external_url}/{project.full_path}/-/compare/{old}...{new}",
    }
