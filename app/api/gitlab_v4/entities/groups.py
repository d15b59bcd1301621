"""Groups, and who belongs to them and to projects."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.api.gitlab_v4.entities.users import user_basic
from app.models import Group, Membership
from app.services.core import Core


def group(core: Core, row: Group) -> dict[str, Any]:
    """A group."""
    return {
        "id": row.id,
        "web_url": f"{core.config.external_url}/groups/{row.full_path}",
        "name": row.name,
        "path": row.path,
        "description": row.description,
        "visibility": row.visibility,
        "avatar_url": None,
        "full_name": " / ".join([*row.full_path.split("/")[:-1], row.name]),
        "full_path": row.full_path,
        "created_at": iso(row.created_at),
        "parent_id": row.parent_id,
        "archived": False,
    }


def member(core: Core, row: Membership) -> dict[str, Any]:
    """A user with their role."""
    return user_basic(core, row.user) | {
        "access_level": row.role,
        "created_at": iso(row.created_at),
        "expires_at": row.expires_at.date().isoformat() if row.expires_at else None,
        "membership_state": "active",
    }
