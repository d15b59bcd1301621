"""Releases and their links."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from app.api.gitlab_v4.entities.common import iso, project_url
from app.api.gitlab_v4.entities.users import user_basic
from app.domain.errors import NotFound
from app.models import Project, Release, ReleaseLink
from app.services.core import Core


def releases(core: Core, project: Project, rows: Sequence[Release], with_code: bool) -> list[dict[str, Any]]:
    """The entities of `rows`, which `find_releases.LOADED` loaded. `with_code`: the viewer may see commits."""
    commits = _commits(core, project, [row.sha for row in rows]) if with_code else {}
    return [_release(core, project, row, commits, with_code) for row in rows]


def _release(
    core: Core, project: Project, row: Release, commits: dict[str, dict[str, Any]], with_code: bool
) -> dict[str, Any]:
    url, tag = project_url(core, project), quote(row.tag_name, safe="")
    code = {
        "commit": commits.get(row.sha),
        "commit_path": f"/{project.full_path}/-/commit/{row.sha}",
        "tag_path": f"/{project.full_path}/-/tags/{tag}",
    }
    return {
        "tag_name": row.tag_name,
        "name": row.name,
        "description": row.description,
        "created_at": iso(row.created_at),
        "released_at": iso(row.released_at),
        "upcoming_release": row.released_at > core.now(),
        "author": user_basic(core, row.author) if row.author else None,
        "milestones": [{"title": title} for title in row.milestones],
        "evidences": [],
        "assets": {
            "count": len(row.links),
            "sources": [],
            "links": [link(one) for one in row.links],
        },
        "_links": {"self": f"{url}/-/releases#{tag}"},
    } | (code if with_code else {})


def link(row: ReleaseLink) -> dict[str, Any]:
    """A link among a release's assets."""
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "direct_asset_url": row.url,
        "link_type": row.link_type,
    }


def _commits(core: Core, project: Project, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The commits that are still there, read by one process."""
    if not ids or project.repository == "none":
        return {}
    found: dict[str, dict[str, Any]] = {}
    with core.repositories.open(project.id).objects() as objects:
        for commit_id in dict.fromkeys(ids):
            try:
                found[commit_id] = objects.commit(commit_id)
            except NotFound:
                continue
    return found
