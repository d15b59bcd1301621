"""Folders and files of a project's repository."""

import base64
import hashlib
from typing import Any

from flask import Response, jsonify

from app.api.gitlab_v4.downloads import GUARDS, disposition
from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import repositories as entities
from app.api.gitlab_v4.errors import not_found
from app.api.gitlab_v4.pagination import PAGED, by_token, of_list
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.git import history, trees
from app.git.repository import Repository
from app.models import Project

routes = Routes()
#: Longer files are fetched by git.
FILE_LIMIT = 32 * 1024 * 1024
REF = Param("ref", help="A branch, a tag or a commit; the default branch when missing")


def _at(call: Call) -> tuple[Project, Repository, str]:
    """The project, its repository, and the commit that `ref` means."""
    project = call.project(Action.READ_CODE)
    repository = call.core.repositories.open(project.id)
    name = call.params.get("ref") or project.default_branch
    return project, repository, history.require_commit(repository, name, project.default_branch)


@routes.get(
    "/projects/<id>/repository/tree",
    params=(
        REF,
        Param("path", default="", help="A folder; the top when missing"),
        Param("recursive", Kind.BOOLEAN, default=False),
        Param("pagination", values=("keyset", "legacy", "none")),
        Param("page_token", help="Where a page by key begins, out of the Link header of the one before"),
        *PAGED,
    ),
    callers=READERS,
)
def list_tree(call: Call) -> Response:
    """List a folder"""
    project = call.project(Action.READ_CODE)
    repository = call.core.repositories.open(project.id)
    name, path = call.params.get("ref") or project.default_branch, call.params["path"].strip("/")
    commit = history.find_commit(repository, name, project.default_branch) if repository.exists else None
    if commit is None:
        raise not_found("Tree")
    rows = trees.list_tree(repository, commit, path, call.params["recursive"])

    def render(page: Any) -> list[dict[str, Any]]:
        return [entities.entry(row) for row in page]

    if call.params.get("pagination") == "keyset":
        return by_token(call, rows, render, lambda row: row.path)
    return of_list(call, rows, render)


def _file(call: Call) -> tuple[bytes, dict[str, Any]]:
    """A file's content, and all else that is said of it."""
    _, repository, commit = _at(call)
    path = call.params["file_path"]
    entry = trees.find_entry(repository, commit, path)
    if entry is None or entry.kind != "blob":
        raise not_found("File")
    content = repository.read_file(commit, path, FILE_LIMIT)
    last = history.list_commits(repository, commit, history.Walk(path=path), 0, 1)
    return content, {
        "file_name": entry.name,
        "file_path": path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": call.params.get("ref") or "HEAD",
        "blob_id": entry.object_id,
        "commit_id": commit,
        "last_commit_id": last[0] if last else commit,
        "execute_filemode": entry.executable,
    }


def _described(response: Response, details: dict[str, Any]) -> Response:
    """The answer with all that is said of the file in headers, as a HEAD asks for it."""
    for name, value in details.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        plain = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
        response.headers[f"X-Gitlab-{name.replace('_', '-').title()}"] = plain
    return response


@routes.get(
    "/projects/<id>/repository/files/<file_path>",
    params=(REF,),
    callers=READERS,
)
def get_file(call: Call) -> Response:
    """Get a file, its content in base64; a HEAD says all else of it in headers"""
    content, details = _file(call)
    return _described(jsonify(details | {"content": base64.b64encode(content).decode("ascii")}), details)


@routes.get("/projects/<id>/repository/files/<file_path>/raw", params=(REF,), callers=READERS)
def get_raw_file(call: Call) -> Response:
    """Get a file byte for byte"""
    content, details = _file(call)
    response = Response(content, mimetype="application/octet-stream" if b"\0" in content[:8000] else "text/plain")
    response.headers.update(GUARDS | {"Content-Disposition": disposition("inline", details["file_name"])})
    return _described(response, details)
