"""Releases made, changed and removed. Who may is asked before (`Action.ADMIN_RELEASES`), except for their tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.domain import refs, releases
from app.domain.delivery import ReleaseLink as LinkSpec
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound
from app.models import Project, Release, ReleaseLink, User, write
from app.services.core import Core
from app.services.releases.resolve_ref import resolve_ref
from app.services.repositories.create_tag import create_tag
from app.services.repositories.protected_refs import may_act_on

FILEPATH_LIMIT = 128


@dataclass(frozen=True, slots=True)
class ReleaseText:
    """A release as somebody wants it. None: not said. `ref`: where the tag is made if there is none yet."""

    tag_name: str
    name: str | None = None
    description: str | None = None
    ref: str | None = None
    tag_message: str | None = None
    released_at: datetime | None = None
    milestones: Sequence[str] | None = None
    links: Sequence[LinkSpec] | None = None


def create_release(core: Core, project: Project, user: User, text: ReleaseText, *, again: bool = False) -> Release:
    """The release that `text` says, and its tag where there is none yet.

    `again`: one that exists is changed instead of refused. Raises AlreadyExists, NotAllowed, NotFound, InvalidRequest
    ("Ref is not specified" and its kin, in GitLab's words).
    """
    _check(text)
    project_id = project.id
    commit = _tagged(core, project, user, text)
    author_id = user.id
    with write(core.session):
        found = core.session.scalar(
            select(Release).where(Release.project_id == project_id, Release.tag_name == text.tag_name)
        )
        if found is not None and not again:
            raise AlreadyExists("Release already exists")
        if found is None:
            now = core.now()
            found = Release(
                project_id=project_id,
                tag_name=text.tag_name,
                name=text.tag_name,
                sha=commit,
                author_id=author_id,
                released_at=now,
                created_at=now,
                updated_at=now,
            )
            core.session.add(found)
        _apply(core, found, text)
        core.session.flush()
        release_id = found.id
    return core.session.get_one(Release, release_id)


def change_release(core: Core, release: Release, user: User, text: ReleaseText) -> Release:
    """Change what `text` says; the tag stays. Raises InvalidRequest, NotAllowed, NotFound."""
    _check(text)
    _require_tag(core, release.project, user, release.tag_name)
    release_id = release.id
    with write(core.session):
        held = _hold(core, release_id)
        _apply(core, held, text)
    return core.session.get_one(Release, release_id)


def delete_release(core: Core, release: Release, user: User) -> None:
    """Remove the release; its tag stays. Raises NotAllowed, NotFound."""
    _require_tag(core, release.project, user, release.tag_name)
    release_id = release.id
    with write(core.session):
        core.session.delete(_hold(core, release_id))


def _hold(core: Core, release_id: int) -> Release:
    held = core.session.get(Release, release_id, with_for_update=True, populate_existing=True)
    if held is None:
        raise NotFound("")
    return held


def _require_tag(core: Core, project: Project, user: User | None, tag_name: str) -> None:
    """What is released under a protected tag takes the right to make that tag."""
    if not may_act_on(core, user, project, tag_name, True):
        raise NotAllowed(f"the tag {tag_name} is protected, and your role does not allow to release it")


def _tagged(core: Core, project: Project, user: User, text: ReleaseText) -> str:
    """The commit of the tag, which is made where there is none."""
    if project.repository == "none":
        raise InvalidRequest("the project has no repository")
    _require_tag(core, project, user, text.tag_name)
    repository = core.repositories.open(project.id)
    found = repository.current([refs.TAG_PREFIX + text.tag_name])
    if not found:
        commit = resolve_ref(core, project, text.ref)
        create_tag(core, project, user, text.tag_name, commit, text.tag_message)
        return commit
    if found[0].commit is None:
        raise InvalidRequest("the tag leads to no commit")
    return found[0].commit


def _check(text: ReleaseText) -> None:
    if not refs.is_valid_name(text.tag_name) or len(text.tag_name) > 1000:
        raise InvalidRequest("Tag name invalid", "tag_name")
    if len(text.name or "") > releases.LONGEST_NAME:
        raise InvalidRequest(f"is too long (maximum is {releases.LONGEST_NAME} characters)", "name")
    if len(text.description or "") > releases.LONGEST_DESCRIPTION:
        raise InvalidRequest(f"is too long (maximum is {releases.LONGEST_DESCRIPTION} characters)", "description")
    if len(text.links or ()) > releases.MOST_LINKS:
        raise InvalidRequest(f"cannot be more than {releases.MOST_LINKS}", "links")
    for link in text.links or ():
        check_link(link)


def check_link(link: LinkSpec) -> None:
    """Raises InvalidRequest for a link that a page must not show."""
    if not link.name or len(link.name) > releases.LONGEST_NAME:
        raise InvalidRequest("can't be blank" if not link.name else "is too long", "name")
    if not releases.is_link(link.url):
        raise InvalidRequest("is blocked: Only allowed schemes are http, https, ftp", "url")
    path = link.filepath
    if path is not None and (not path.startswith("/") or len(path) > FILEPATH_LIMIT or "/../" in f"{path}/"):
        raise InvalidRequest("is in an invalid format", "filepath")


def _apply(core: Core, release: Release, text: ReleaseText) -> None:
    for name in ("name", "description", "released_at"):
        if (value := getattr(text, name)) is not None:
            setattr(release, name, value)
    if text.milestones is not None:
        release.milestones = list(text.milestones)
    if text.links is not None:
        release.links.clear()
        core.session.flush()
        links = {link.name: link for link in text.links}
        release.links = [new_link(core, link) for link in links.values()]
    release.updated_at = core.now()


def new_link(core: Core, link: LinkSpec) -> ReleaseLink:
    """A row of what `check_link` let through."""
    return ReleaseLink(
        name=link.name, url=link.url, filepath=link.filepath, link_type=link.link_type, created_at=core.now()
    )
