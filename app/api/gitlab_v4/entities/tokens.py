"""Personal access tokens."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.models import AccessToken, Group, Project
from app.services.core import Core


def access_token(core: Core, row: AccessToken) -> dict[str, Any]:
    """A token without its text, which nobody has but its owner."""
    live = row.revoked_at is None and (row.expires_at is None or row.expires_at > core.now())
    return {
        "id": row.id,
        "name": row.name,
        "revoked": row.revoked_at is not None,
        "created_at": iso(row.created_at),
        "description": row.description,
        "scopes": list(row.scopes),
        "user_id": row.user_id,
        "last_used_at": iso(row.last_used_at),
        "active": live,
        "expires_at": row.expires_at.date().isoformat() if row.expires_at else None,
    }


def place_token(core: Core, row: AccessToken, place: Project | Group, role: int) -> dict[str, Any]:
    """An access token of a project or group: whose role it has there is said in the members' numbers."""
    kind = "project" if isinstance(place, Project) else "group"
    return access_token(core, row) | {"access_level": role, "resource_type": kind, "resource_id": place.id}
