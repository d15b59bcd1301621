"""Changing files of a project's repository by commits that are made here."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import repositories as entities
from app.api.gitlab_v4.errors import BadParams, message
from app.api.gitlab_v4.params import Kind, Param
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.git.build import Person
from app.models import Project
from app.services.repositories.commit_files import KINDS, FileAction, commit_files

routes = Routes()
_CONTENT = Param("content")
_ENCODING = Param("encoding", values=("text", "base64"), default="text")
_MODE = Param("execute_filemode", Kind.BOOLEAN)
_LAST = Param("last_commit_id", help="The newest commit of the file that one knows of")
_COMMIT = (
    Param("branch", required=True),
    Param("commit_message", required=True, blank=False),
    Param("start_branch", help="Where the branch begins, if it is not there yet"),
    Param("start_sha", help="The same by a commit"),
    Param("author_name"),
    Param("author_email"),
)
ACTIONS = Param(
    "actions",
    Kind.OBJECTS,
    required=True,
    fields=(
        Param("action", required=True, values=KINDS),
        Param("file_path", required=True),
        Param("previous_path"),
        _CONTENT,
        _ENCODING,
        _MODE,
        _LAST,
    ),
    help="What becomes of which file",
)


def _commit(call: Call, project: Project, actions: list[FileAction]) -> str:
    params, user = call.params, call.signed_in
    author = None
    if "author_name" in params or "author_email" in params:
        author = Person(params.get("author_name") or user.name, params.get("author_email") or user.email)
    try:
        return commit_files(
            call.core,
            project,
            user,
            branch=params["branch"],
            message=params["commit_message"],
            actions=actions,
            start=params.get("start_sha") or params.get("start_branch"),
            author=author,
        )
    except InvalidRequest as error:
        raise message(400, str(error)) from error


def _action(kind: str, given: Mapping[str, Any]) -> FileAction:
    return FileAction(
        kind,
        given["file_path"],
        _content(given),
        given.get("previous_path"),
        given.get("execute_filemode"),
        given.get("last_commit_id"),
    )


def _content(given: Mapping[str, Any]) -> bytes | None:
    text = given.get("content")
    if text is None or given.get("encoding") != "base64":
        return None if text is None else text.encode()
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise BadParams("content is invalid") from error


@routes.post("/projects/<id>/repository/commits", params=(*_COMMIT, ACTIONS))
def create_commit(call: Call) -> dict[str, Any]:
    """Commit changes of several files to a branch"""
    project = call.project(Action.PUSH)
    made = _commit(call, project, [_action(given["action"], given) for given in call.params["actions"]])
    details = call.core.repositories.open(project.id).commit(made)
    return entities.commit(call.core, project, details) | {"project_id": project.id, "status": None}


def _one(call: Call, kind: str) -> dict[str, Any]:
    project = call.project(Action.PUSH)
    _commit(call, project, [_action(kind, call.params)])
    return {"file_path": call.params["file_path"], "branch": call.params["branch"]}


_WRITTEN = (*_COMMIT, Param("content", required=True), _ENCODING, _MODE)


@routes.post("/projects/<id>/repository/files/<file_path>", params=_WRITTEN)
def create_file(call: Call) -> dict[str, Any]:
    """Make a file by a commit to a branch"""
    return _one(call, "create")


@routes.put("/projects/<id>/repository/files/<file_path>", params=(*_WRITTEN, _LAST))
def update_file(call: Call) -> dict[str, Any]:
    """Change a file by a commit to a branch"""
    return _one(call, "update")


@routes.delete("/projects/<id>/repository/files/<file_path>", params=(*_COMMIT, _LAST))
def delete_file(call: Call) -> None:
    """Remove a file by a commit to a branch"""
    _one(call, "delete")
