"""A project's releases (gitlab.md B)."""

from typing import Any
from urllib.parse import quote

from flask import Response, redirect

from app.api.gitlab_v4.endpoint import READERS_AND_JOBS, USERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import releases as entities
from app.api.gitlab_v4.entities.common import api_url
from app.api.gitlab_v4.errors import ApiError, bad_request, not_found
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain.delivery import ReleaseLink as LinkSpec
from app.domain.errors import AlreadyExists, InvalidRequest
from app.domain.permissions import Action
from app.domain.releases import LINK_TYPES
from app.models import Project, Release
from app.services import access
from app.services.releases import find_releases, save_release
from app.services.releases.save_release import ReleaseText

routes = Routes()
LINK = (
    Param("name", required=True),
    Param("url", required=True),
    Param("filepath", help="A path of its own below the release, beginning with a slash"),
    Param("direct_asset_path", help="The same by its newer name"),
    Param("link_type", values=LINK_TYPES, default=LINK_TYPES[0]),
)
TEXTS = (
    Param("name", help="The tag's where it is left out"),
    Param("description"),
    Param("milestones", Kind.LIST, help="Titles"),
    Param("released_at", Kind.TIME),
)


def _shown(call: Call, project: Project, release: Release) -> dict[str, Any]:
    with_code = access.may(call.core, Action.READ_CODE, call.user, project)
    return entities.releases(call.core, project, [release], with_code)[0]


def _text(call: Call, tag_name: str) -> ReleaseText:
    given = call.params
    links = (given.get("assets") or {}).get("links")
    return ReleaseText(
        tag_name=tag_name,
        **{
            name: given.get(name) for name in ("name", "description", "ref", "tag_message", "released_at", "milestones")
        },
        links=None if links is None else [link_of(link) for link in links],
    )


def link_of(given: dict[str, Any]) -> LinkSpec:
    """A link as the parameters LINK describe it."""
    path = given.get("direct_asset_path") or given.get("filepath")
    return LinkSpec(given["name"], given["url"], path, given["link_type"])


@routes.get(
    "/projects/<id>/releases",
    params=(
        Param("order_by", values=tuple(find_releases.ORDERS), default="released_at"),
        Param("sort", values=("asc", "desc"), default="desc"),
        *PAGED,
    ),
    callers=READERS_AND_JOBS,
)
def list_releases(call: Call) -> Response:
    """List a project's releases, the last first"""
    project = call.project(Action.READ_RELEASES)
    query = find_releases.project_releases(project, call.params["order_by"], call.params["sort"] == "desc")
    with_code = access.may(call.core, Action.READ_CODE, call.user, project)
    return by_number(call, query, lambda rows: entities.releases(call.core, project, rows, with_code))


@routes.get("/projects/<id>/releases/<tag_name>", callers=READERS_AND_JOBS)
def get_release(call: Call) -> dict[str, Any]:
    """Get the release of a tag"""
    project = call.project(Action.READ_RELEASES)
    return _shown(call, project, find_releases.find_release(call.core, project, call.params["tag_name"]))


@routes.get("/projects/<id>/releases/permalink/latest", callers=READERS_AND_JOBS)
def get_latest_release(call: Call) -> Response:
    """Go to the last release"""
    project = call.project(Action.READ_RELEASES)
    newest = find_releases.project_releases(project).where(Release.released_at <= call.core.now()).limit(1)
    release = call.core.session.scalar(newest)
    if release is None:
        raise not_found()
    address = api_url(call.core, f"/projects/{project.id}/releases/{quote(release.tag_name, safe='')}")
    return redirect(address, 302)  # type: ignore[return-value]


@routes.post(
    "/projects/<id>/releases",
    params=(
        Param("tag_name", required=True),
        Param("ref", help="Where the tag is made if there is none: a branch, a tag or a commit"),
        Param("tag_message", help="Makes the new tag an annotated one"),
        *TEXTS,
        Param("assets", Kind.OBJECT, fields=(Param("links", Kind.OBJECTS, fields=LINK),), help="`links`"),
    ),
    callers=USERS_AND_JOBS,
)
def create_release(call: Call) -> dict[str, Any]:
    """Make a release, and its tag where there is none"""
    project = call.project(Action.ADMIN_RELEASES)
    try:
        made = save_release.create_release(call.core, project, call.signed_in, _text(call, call.params["tag_name"]))
    except AlreadyExists as error:
        raise ApiError(409, {"message": str(error)}) from error
    except InvalidRequest as error:
        if error.field is not None:
            raise
        raise bad_request(str(error)) from error
    return _shown(call, project, made)


@routes.put("/projects/<id>/releases/<tag_name>", params=TEXTS, callers=USERS_AND_JOBS)
def update_release(call: Call) -> dict[str, Any]:
    """Change a release"""
    project = call.project(Action.ADMIN_RELEASES)
    found = find_releases.find_release(call.core, project, call.params["tag_name"])
    changed = save_release.change_release(call.core, found, call.signed_in, _text(call, found.tag_name))
    return _shown(call, project, changed)


@routes.delete("/projects/<id>/releases/<tag_name>", status=200, callers=USERS_AND_JOBS)
def delete_release(call: Call) -> dict[str, Any]:
    """Remove a release; its tag stays"""
    project = call.project(Action.ADMIN_RELEASES)
    found = find_releases.find_release(call.core, project, call.params["tag_name"])
    shown = _shown(call, project, found)
    save_release.delete_release(call.core, found, call.signed_in)
    return shown
