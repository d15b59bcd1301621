"""Branches and tags of a project's repository."""

from collections.abc import Sequence
from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import repositories as entities
from app.api.gitlab_v4.errors import message
from app.api.gitlab_v4.pagination import PAGED, of_list
from app.api.gitlab_v4.params import Param
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed
from app.domain.permissions import Action
from app.git.history import merged_branches
from app.git.repository import FoundRef
from app.models import Project
from app.services import access
from app.services.releases.find_releases import notes_of_tags
from app.services.repositories import branches as branch_service
from app.services.repositories import tags as tag_service
from app.services.repositories.protected_refs import Protections, may_push

routes = Routes()
SEARCH = Param("search", help="Part of the name; ^x begins with it, x$ ends with it")


def _branches(call: Call, project: Project, rows: Sequence[FoundRef]) -> list[dict[str, Any]]:
    rows = [row for row in rows if row.commit]
    repository, rules = call.core.repositories.open(project.id), Protections(call.core, project)
    writes = call.user is not None and access.may(call.core, Action.PUSH, call.user, project)
    head = repository.current([f"refs/heads/{project.default_branch}"])
    merged = merged_branches(repository, head[0].commit) if head and head[0].commit else set()
    shown = []
    with repository.objects() as objects:
        for row in rows:
            rule = rules.of("branch", row.name)
            details = entities.commit(call.core, project, objects.commit(row.commit or ""))
            can_push = writes and may_push(call.core, call.user, project, rule)
            is_merged = row.full_name in merged and row.name != project.default_branch
            shown.append(entities.branch(call.core, project, row, details, rule, can_push, is_merged))
    return shown


def _tags(call: Call, project: Project, rows: Sequence[FoundRef]) -> list[dict[str, Any]]:
    repository, rules = call.core.repositories.open(project.id), Protections(call.core, project)
    notes = notes_of_tags(call.core, project, [row.name for row in rows])
    shown = []
    with repository.objects() as objects:
        for row in rows:
            details = entities.commit(call.core, project, objects.commit(row.commit)) if row.commit else None
            release = {"tag_name": row.name, "description": notes[row.name]} if row.name in notes else None
            text = objects.tag_message(row.full_name) if row.target != row.commit else ""
            shown.append(entities.tag(row, text, details, release, rules.of("tag", row.name).protected))
    return shown


def _found(call: Call, rows: list[FoundRef]) -> list[FoundRef]:
    if "search" not in call.params:
        return rows
    wanted = entities.matching([row.name for row in rows], call.params["search"])
    return [row for row in rows if row.name in wanted]


@routes.get("/projects/<id>/repository/branches", params=(SEARCH, *PAGED), callers=READERS)
def list_branches(call: Call) -> Response:
    """List a repository's branches, by name"""
    project = call.project(Action.READ_CODE)
    repository = call.core.repositories.open(project.id)
    rows = _found(call, repository.branches()) if repository.exists else []
    return of_list(call, rows, lambda page: _branches(call, project, page))


@routes.get("/projects/<id>/repository/branches/<branch>", callers=READERS)
def get_branch(call: Call) -> dict[str, Any]:
    """Get a branch"""
    project = call.project(Action.READ_CODE)
    return _branches(call, project, [branch_service.find_branch(call.core, project, call.params["branch"])])[0]


@routes.post(
    "/projects/<id>/repository/branches",
    params=(Param("branch", required=True), Param("ref", required=True, help="A branch, a tag or a commit")),
)
def create_branch(call: Call) -> dict[str, Any]:
    """Make a branch"""
    project, user = call.project(Action.PUSH), call.signed_in
    try:
        made = branch_service.create_branch(call.core, project, user, call.params["branch"], call.params["ref"])
    except (AlreadyExists, InvalidRequest) as error:
        raise message(400, str(error)) from error
    return _branches(call, call.project(Action.READ_CODE), [made])[0]


@routes.delete("/projects/<id>/repository/branches/<branch>")
def delete_branch(call: Call) -> None:
    """Remove a branch; a protected one takes a maintainer"""
    project, user = call.project(Action.PUSH), call.signed_in
    try:
        branch_service.delete_branch(call.core, project, user, call.params["branch"])
    except NotAllowed as error:
        raise message(405, str(error)) from error


@routes.get(
    "/projects/<id>/repository/tags",
    params=(
        SEARCH,
        Param("order_by", values=("name", "updated", "version"), default="updated"),
        Param("sort", values=("asc", "desc"), default="desc"),
        *PAGED,
    ),
    callers=READERS,
)
def list_tags(call: Call) -> Response:
    """List a repository's tags"""
    project = call.project(Action.READ_CODE)
    repository = call.core.repositories.open(project.id)
    rows = _found(call, repository.tags_by(call.params["order_by"])) if repository.exists else []
    if call.params["sort"] == "desc":
        rows.reverse()
    return of_list(call, rows, lambda page: _tags(call, project, page))


@routes.get("/projects/<id>/repository/tags/<tag_name>", callers=READERS)
def get_tag(call: Call) -> dict[str, Any]:
    """Get a tag"""
    project = call.project(Action.READ_CODE)
    return _tags(call, project, [tag_service.find_tag(call.core, project, call.params["tag_name"])])[0]


@routes.post(
    "/projects/<id>/repository/tags",
    params=(
        Param("tag_name", required=True),
        Param("ref", required=True, help="A branch, a tag or a commit"),
        Param("message", default="", help="Makes an annotated tag"),
    ),
)
def create_tag(call: Call) -> dict[str, Any]:
    """Make a tag"""
    project, user, params = call.project(Action.PUSH), call.signed_in, call.params
    try:
        made = tag_service.create_tag(call.core, project, user, params["tag_name"], params["ref"], params["message"])
    except (AlreadyExists, InvalidRequest) as error:
        raise message(400, str(error)) from error
    return _tags(call, call.project(Action.READ_CODE), [made])[0]


@routes.delete("/projects/<id>/repository/tags/<tag_name>")
def delete_tag(call: Call) -> None:
    """Remove a tag; a protected one takes a maintainer"""
    tag_service.delete_tag(call.core, call.project(Action.PUSH), call.signed_in, call.params["tag_name"])
