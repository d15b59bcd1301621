"""Links among a release's assets (gitlab.md B)."""

from typing import Any

from flask import Response
from sqlalchemy import select

from app.api.gitlab_v4.endpoint import READERS_AND_JOBS, USERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import releases as entities
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Param
from app.api.gitlab_v4.releases import LINK, link_of
from app.domain.permissions import Action
from app.domain.releases import LINK_TYPES
from app.models import Release, ReleaseLink
from app.services.releases import find_releases, save_link

routes = Routes()
_CHANGES = (
    Param("name"),
    Param("url"),
    Param("filepath"),
    Param("direct_asset_path"),
    Param("link_type", values=LINK_TYPES),
)
_LINKS = "/projects/<id>/releases/<tag_name>/assets/links"


def _release(call: Call, action: Action) -> Release:
    return find_releases.find_release(call.core, call.project(action), call.params["tag_name"])


@routes.get(_LINKS, params=PAGED, callers=READERS_AND_JOBS)
def list_release_links(call: Call) -> Response:
    """List a release's links"""
    release = _release(call, Action.READ_RELEASES)
    query = select(ReleaseLink).where(ReleaseLink.release_id == release.id).order_by(ReleaseLink.id)
    return by_number(call, query, lambda rows: [entities.link(row) for row in rows])


@routes.get(f"{_LINKS}/<link_id>", callers=READERS_AND_JOBS)
def get_release_link(call: Call) -> dict[str, Any]:
    """Get a release's link"""
    release = _release(call, Action.READ_RELEASES)
    found = find_releases.find_link(call.core, release, call.params["link_id"])
    return entities.link(found)


@routes.post(_LINKS, params=LINK, callers=USERS_AND_JOBS)
def create_release_link(call: Call) -> dict[str, Any]:
    """Add a link to a release"""
    release = _release(call, Action.ADMIN_RELEASES)
    made = save_link.add_link(call.core, release, link_of(dict(call.params)))
    return entities.link(made)


@routes.put(f"{_LINKS}/<link_id>", params=_CHANGES, callers=USERS_AND_JOBS)
def update_release_link(call: Call) -> dict[str, Any]:
    """Change a release's link"""
    release = _release(call, Action.ADMIN_RELEASES)
    found = find_releases.find_link(call.core, release, call.params["link_id"])
    given = {name: call.params[name] for name in ("name", "url", "filepath", "link_type") if name in call.params}
    if "direct_asset_path" in call.params:
        given["filepath"] = call.params["direct_asset_path"]
    return entities.link(save_link.change_link(call.core, found, **given))


@routes.delete(f"{_LINKS}/<link_id>", status=200, callers=USERS_AND_JOBS)
def delete_release_link(call: Call) -> dict[str, Any]:
    """Remove a release's link"""
    release = _release(call, Action.ADMIN_RELEASES)
    found = find_releases.find_link(call.core, release, call.params["link_id"])
    shown = entities.link(found)
    save_link.remove_link(call.core, found)
    return shown
