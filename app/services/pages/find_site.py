"""The web sites of a project."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from app.domain.errors import InvalidRequest, NotFound
from app.models import Artifact, PagesSite, Project
from app.services.artifacts.read_artifact import Member, open_member
from app.services.core import Core

INDEX = "index.html"
MISSING = "404.html"


@dataclass(frozen=True, slots=True)
class Found:
    """What is at an address of a site. `found` False: the site's own page for what is not there. `folder`: the address
    names a folder and lacks the slash at its end; then there is no `member`.
    """

    artifact: Artifact
    member: Member | None
    found: bool = True
    folder: bool = False


def sites(core: Core, project: Project) -> Sequence[PagesSite]:
    """The sites of `project`, the one without a prefix first."""
    query = select(PagesSite).where(PagesSite.project_id == project.id)
    query = query.where(or_(PagesSite.expire_at.is_(None), PagesSite.expire_at > core.now()))
    return core.session.scalars(query.order_by(PagesSite.path_prefix).options(joinedload(PagesSite.artifact))).all()


def open_page(core: Core, project: Project, path: str) -> Found:
    """What is at `path`: the file, the same with `.html`, or a folder's index.html. Raises NotFound.

    The first part of `path` may be a site's prefix. Nothing is unpacked: the file is read out of the job's archive.
    """
    site, rest = _site(core, project, path)
    if rest is None:
        return Found(site.artifact, None, folder=True)
    for name in _candidates(rest):
        if (member := _open(core, site, name)) is not None:
            return Found(site.artifact, member)
    if rest and not rest.endswith("/"):
        index = _open(core, site, f"{rest}/{INDEX}")
        if index is not None:
            index.close()
            return Found(site.artifact, None, folder=True)
    missing = _open(core, site, MISSING)
    if missing is None:
        raise NotFound("Page")
    return Found(site.artifact, missing, found=False)


def _site(core: Core, project: Project, path: str) -> tuple[PagesSite, str | None]:
    """The site that `path` means, and the rest; None: it is a prefix without the slash that relative links need."""
    known = {site.path_prefix: site for site in sites(core, project)}
    first, slash, rest = path.partition("/")
    if first and first in known:
        return known[first], rest if slash else None
    if "" not in known:
        raise NotFound("Page")
    return known[""], path


def _candidates(path: str) -> tuple[str, ...]:
    if not path or path.endswith("/"):
        return (f"{path}{INDEX}",)
    return (path, f"{path}.html")


def _open(core: Core, site: PagesSite, name: str) -> Member | None:
    try:
        return open_member(core, site.artifact, f"{site.root}/{name}")
    except (NotFound, InvalidRequest, zlib.error):
        return None
