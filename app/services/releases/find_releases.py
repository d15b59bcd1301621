"""Which releases a project has."""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain.errors import NotFound
from app.models import Project, Release, ReleaseLink
from app.services.core import Core

LOADED = (joinedload(Release.author), joinedload(Release.project), selectinload(Release.links))
ORDERS = {"released_at": Release.released_at, "created_at": Release.created_at}


def project_releases(project: Project, order_by: str = "released_at", descending: bool = True) -> Select[Release]:
    """The releases of `project`; `order_by`: one of ORDERS."""
    columns = (ORDERS[order_by], Release.id)
    order = [column.desc() if descending else column.asc() for column in columns]
    return select(Release).where(Release.project_id == project.id).order_by(*order).options(*LOADED)


def find_release(core: Core, project: Project, tag_name: str) -> Release:
    """The release of that tag. Raises NotFound."""
    query = select(Release).where(Release.project_id == project.id, Release.tag_name == tag_name)
    found = core.session.scalar(query.options(*LOADED))
    if found is None:
        raise NotFound("")
    return found


def notes_of_tags(core: Core, project: Project, tag_names: Sequence[str]) -> dict[str, str | None]:
    """The notes of these tags' releases, by tag; a tag without a release is not in it."""
    query = select(Release.tag_name, Release.description)
    rows = core.session.execute(query.where(Release.project_id == project.id, Release.tag_name.in_(tag_names)))
    return {row.tag_name: row.description for row in rows}


def find_link(core: Core, release: Release, link_id: int) -> ReleaseLink:
    """Raises NotFound."""
    found = core.session.get(ReleaseLink, link_id)
    if found is None or found.release_id != release.id:
        raise NotFound("")
    return found
