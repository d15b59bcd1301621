"""Write down who did what. Services call it inside the transaction that does it: there is no act without its row."""

from typing import Any

from app.domain.audit import Act
from app.models import AuditEvent, Group, Project, User
from app.services.core import Core

MAX_TARGET = 1000
Place = Project | Group | None


def record(
    core: Core,
    act: Act,
    target: str = "",
    *,
    place: Place = None,
    actor: User | None = None,
    way: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """*In a write*: somebody does `act` to `target` in the project or group `place` (None: the installation).

    Who, and from where, is what the edge says of its caller (`Core.caller`); `actor` and `way` where the
    service knows better, as of somebody who is only just signing in. `details` are small and hold no secret.
    """
    caller = core.caller()
    core.session.add(
        AuditEvent(
            created_at=core.now(),
            action=act,
            actor_id=actor.id if actor else caller.user_id,
            actor=actor.username if actor else caller.name,
            address=caller.address[:255],
            way=(way or caller.way)[:300],
            project_id=place.id if isinstance(place, Project) else None,
            group_id=place.id if isinstance(place, Group) else None,
            place=place.full_path if place else "",
            target=target[:MAX_TARGET],
            details=details or {},
        )
    )


def place_of(core: Core, project_id: int | None, group_id: int | None) -> Place:
    """The project or group that something belongs to, None for the installation."""
    if project_id is not None:
        return core.session.get(Project, project_id)
    return core.session.get(Group, group_id) if group_id is not None else None


def changes(row: Any, values: dict[str, Any]) -> dict[str, Any]:
    """What `values` will change in `row`, as {column: [before, after]}; call it before they are set."""
    before = {name: getattr(row, name) for name in values}
    return {name: [before[name], value] for name, value in values.items() if before[name] != value}
