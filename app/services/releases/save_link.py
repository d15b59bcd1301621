"""Links among a release's assets."""

from dataclasses import replace

from sqlalchemy import select

from app.domain.delivery import ReleaseLink as LinkSpec
from app.domain.errors import AlreadyExists, NotFound
from app.models import Release, ReleaseLink, write
from app.services.core import Core
from app.services.releases.save_release import check_link, new_link


def add_link(core: Core, release: Release, link: LinkSpec) -> ReleaseLink:
    """A new link of `release`. Raises InvalidRequest, AlreadyExists."""
    check_link(link)
    release_id = release.id
    with write(core.session):
        _refuse_twin(core, release_id, link.name, 0)
        made = new_link(core, link)
        made.release_id = release_id
        core.session.add(made)
    return made


def change_link(core: Core, link: ReleaseLink, **changes: str | None) -> ReleaseLink:
    """Change name, url, filepath or link_type. Raises InvalidRequest, AlreadyExists, NotFound."""
    link_id = link.id
    wanted = replace(LinkSpec(link.name, link.url, link.filepath, link.link_type), **changes)  # type: ignore[arg-type]
    check_link(wanted)
    with write(core.session):
        held = core.session.get(ReleaseLink, link_id, with_for_update=True, populate_existing=True)
        if held is None:
            raise NotFound("")
        _refuse_twin(core, held.release_id, wanted.name, held.id)
        held.name, held.url, held.filepath, held.link_type = wanted.name, wanted.url, wanted.filepath, wanted.link_type
    return held


def remove_link(core: Core, link: ReleaseLink) -> None:
    """Remove it; fine when it is gone already."""
    link_id = link.id
    with write(core.session):
        held = core.session.get(ReleaseLink, link_id)
        if held is not None:
            core.session.delete(held)


def _refuse_twin(core: Core, release_id: int, name: str, link_id: int) -> None:
    twin = select(ReleaseLink.id).where(
        ReleaseLink.release_id == release_id, ReleaseLink.name == name, ReleaseLink.id != link_id
    )
    if core.session.scalar(twin) is not None:
        raise AlreadyExists("has already been taken", "name")
