"""Who is assigned to a pipeline definition, and so may see, run and change it without any role in its project.

Who may start pipelines of the project (its developers, those above them, administrators) counts as assigned to each of
its definitions: other ways lead them to the same runs (candor.md A.2, "Permissions").
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, false, or_, select
from sqlalchemy.orm import joinedload

from app.domain.permissions import Action, Role
from app.models import Membership, PipelineAssignee, PipelineDefinition, Project, User, write
from app.services import access
from app.services.core import Core


def may_see(core: Core, definition: PipelineDefinition, user: User | None) -> bool:
    """Whether `user` may see the definition and its runs: it is public, or its project shows them its pipelines, or
    they are assigned.
    """
    readable = definition.public or access.may(core, Action.READ_PIPELINE, user, definition.project)
    return readable or _has_row(core, definition, user)


def may_use(core: Core, definition: PipelineDefinition, user: User | None) -> bool:
    """Whether `user` may run and change it."""
    return _has_row(core, definition, user) or access.may(core, Action.CREATE_PIPELINE, user, definition.project)


def visible_definitions(core: Core, user: User | None) -> list[PipelineDefinition]:
    """All that `user` may see, by id."""
    seen = access.visible_projects(core, user).with_only_columns(Project.id)
    mine = _rows_of(user)
    query = select(PipelineDefinition).where(
        or_(PipelineDefinition.public.is_(True), PipelineDefinition.project_id.in_(seen), mine)
    )
    rows = core.session.scalars(query.options(joinedload(PipelineDefinition.project)).order_by(PipelineDefinition.id))
    return [row for row in rows if may_see(core, row, user)]


def assignees(core: Core, definition: PipelineDefinition) -> list[str]:
    """The names of all who are assigned, by row or by their role in the project or in a group above it."""
    project = definition.project
    groups = access.group_chain(core, project.group)
    members = select(Membership.user_id).where(
        or_(Membership.project_id == project.id, Membership.group_id.in_(groups)),
        Membership.role >= int(Role.DEVELOPER),
        or_(Membership.expires_at.is_(None), Membership.expires_at > core.now()),
    )
    rows = select(PipelineAssignee.user_id).where(PipelineAssignee.definition_id == definition.id)
    query = select(User.username).where(or_(User.id.in_(members), User.id.in_(rows)), User.blocked.is_(False))
    return list(core.session.scalars(query.order_by(User.username)))


def assign(core: Core, definition: PipelineDefinition, users: Iterable[User]) -> None:
    """Assign each of `users`; who is assigned already stays so."""
    definition_id, user_ids = definition.id, {user.id for user in users}
    with write(core.session):
        known = core.session.scalars(
            select(PipelineAssignee.user_id).where(PipelineAssignee.definition_id == definition_id)
        )
        for user_id in sorted(user_ids.difference(known)):
            core.session.add(
                PipelineAssignee(definition_id=definition_id, user_id=user_id, created_at=core.now()),
            )


def unassign(core: Core, definition: PipelineDefinition, users: Iterable[User]) -> None:
    """Take the assignment of each of `users` back. A role in the project still gives its rights."""
    definition_id, user_ids = definition.id, [user.id for user in users]
    with write(core.session):
        core.session.execute(
            delete(PipelineAssignee).where(
                PipelineAssignee.definition_id == definition_id, PipelineAssignee.user_id.in_(user_ids)
            )
        )


def _has_row(core: Core, definition: PipelineDefinition, user: User | None) -> bool:
    if user is None or user.blocked:
        return False
    return core.session.get(PipelineAssignee, (definition.id, user.id)) is not None


def _rows_of(user: User | None) -> ColumnElement[bool]:
    if user is None or user.blocked:
        return false()
    rows = select(PipelineAssignee.definition_id).where(PipelineAssignee.user_id == user.id)
    return PipelineDefinition.id.in_(rows)
