"""Make a project, with the groups above it and its repository."""

from sqlalchemy import func, select

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role, Visibility
from app.models import Group, Membership, PipelineDefinition, Project, ProtectedRef, User, write
from app.services.access import group_chain
from app.services.audit.record import record
from app.services.core import Core
from app.services.projects.paths import split_path
from app.services.repositories.mirror_url import parse_mirror_url


def create_project(
    core: Core,
    *,
    full_path: str,
    creator: User | None,
    visibility: str = "private",
    mirror_url: str | None = None,
    description: str = "",
    has_repository: bool = True,
) -> Project:
    """A new project at GROUP[/SUBGROUP…]/NAME, with an empty repository, the mirror of `mirror_url` (not fetched yet),
    or none (its pipelines then have stored texts).

    Missing groups are made and belong to `creator`, who otherwise must be a maintainer of the group, or an admin, and
    becomes
    owner of the project. `creator` None is the operator at the command line. Raises InvalidRequest, AlreadyExists,
    NotAllowed,
    NotFound (a group that the creator may not know of).
    """
    segments = split_path(full_path)
    if visibility not in tuple(Visibility):
        raise InvalidRequest(f"visibility is one of {', '.join(Visibility)}", "visibility")
    if mirror_url is not None:
        parse_mirror_url(mirror_url)
    creator_id = creator.id if creator else None
    prepared = core.repositories.prepare()
    try:
        with write(core.session):
            owner = core.session.get_one(User, creator_id) if creator_id else None
            group = _group(core, segments[:-1], owner, visibility)
            project = _project(core, group, segments[-1], owner, visibility, description)
            if mirror_url is not None:
                project.repository = "mirrored"
                project.mirror_url_sealed = core.box.seal(mirror_url.strip(), mirror_context(project))
            elif not has_repository:
                project.repository = "none"
            details = {"visibility": visibility, "repository": project.repository}
            record(core, Act.PROJECT_CREATED, project.full_path, place=project, actor=owner, details=details)
            core.repositories.adopt(prepared, project.id)
    finally:
        prepared.discard()
    return project


def mirror_context(project: Project) -> str:
    """What binds a sealed mirror address to its project."""
    return f"mirror_url:{project.id}"


def _group(core: Core, segments: tuple[str, ...], owner: User | None, visibility: str) -> Group:
    """The group at `segments`, made where it is missing."""
    group: Group | None = None
    for depth in range(1, len(segments) + 1):
        path = "/".join(segments[:depth])
        found = core.session.scalar(select(Group).where(func.lower(Group.full_path) == path.lower()))
        if found is None:
            if group is not None:
                _require_maintainer(core, group, owner)
            found = _new_group(core, group, segments[depth - 1], owner, visibility)
        group = found
    if group is None:
        raise InvalidRequest("a project lies in a group", "full_path")
    _require_maintainer(core, group, owner)
    return group


def _new_group(core: Core, parent: Group | None, path: str, owner: User | None, visibility: str) -> Group:
    if parent is None and owner is not None and owner.bot:
        raise NotAllowed("a bot stays in the project or group that it belongs to")
    full_path = f"{parent.full_path}/{path}" if parent else path
    _refuse_taken(core, full_path)
    group = Group(
        parent_id=parent.id if parent else None,
        path=path,
        full_path=full_path,
        name=path,
        visibility=visibility,
        created_at=core.now(),
    )
    core.session.add(group)
    core.session.flush()
    if owner and parent is None:
        _make_owner(core, owner, group_id=group.id)
    return group


def _project(core: Core, group: Group, path: str, owner: User | None, visibility: str, description: str) -> Project:
    full_path = f"{group.full_path}/{path}"
    _refuse_taken(core, full_path)
    project = Project(
        group_id=group.id,
        path=path,
        full_path=full_path,
        name=path,
        description=description,
        visibility=visibility,
        git_depth=core.config.default_git_depth,
        creator_id=owner.id if owner else None,
        created_at=core.now(),
        last_activity_at=core.now(),
    )
    core.session.add(project)
    core.session.flush()
    core.session.add(PipelineDefinition(project_id=project.id, name="default", is_default=True, created_at=core.now()))
    protect_branch(core, project, project.default_branch)
    if owner:
        _make_owner(core, owner, project_id=project.id)
    return project


def protect_branch(core: Core, project: Project, branch: str) -> None:
    """Let only maintainers push to `branch`, unless it has a rule of its own. *In a write.*"""
    rule = select(ProtectedRef.id).where(
        ProtectedRef.project_id == project.id, ProtectedRef.kind == "branch", ProtectedRef.pattern == branch
    )
    if core.session.scalar(rule) is None:
        core.session.add(
            ProtectedRef(project_id=project.id, kind="branch", pattern=branch, push_role=int(Role.MAINTAINER))
        )


def _make_owner(core: Core, user: User, group_id: int | None = None, project_id: int | None = None) -> None:
    core.session.add(
        Membership(
            user_id=user.id, group_id=group_id, project_id=project_id, role=int(Role.OWNER), created_at=core.now()
        )
    )


def _refuse_taken(core: Core, full_path: str) -> None:
    for table in (Group, Project):
        if core.session.scalar(select(table.id).where(func.lower(table.full_path) == full_path.lower())):
            raise AlreadyExists(f"the path {full_path} is taken", "full_path")


def _require_maintainer(core: Core, group: Group, user: User | None) -> None:
    """Whoever makes something in a group is a maintainer of it or of one above. None is the operator."""
    if user is None or (user.is_admin and not user.blocked):
        return
    role = core.session.scalar(
        select(func.max(Membership.role)).where(
            Membership.user_id == user.id,
            Membership.group_id.in_(group_chain(core, group)),
            (Membership.expires_at.is_(None)) | (Membership.expires_at > core.now()),
        )
    )
    if not role and group.visibility == Visibility.PRIVATE:
        raise NotFound("Group")
    if (role or 0) < Role.MAINTAINER:
        raise NotAllowed(f"your role in {group.full_path} does not allow this")
