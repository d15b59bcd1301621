"""Triggers."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.api.gitlab_v4.entities.users import user_basic
from app.models import PipelineTrigger, User
from app.services.core import Core
from app.services.pipelines.triggers import shown_token


def trigger(core: Core, row: PipelineTrigger, user: User | None) -> dict[str, Any]:
    """A trigger as `user` sees it: its owner sees the whole token."""
    return {
        "id": row.id,
        "description": row.description,
        "token": shown_token(core, row, user),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "deleted_at": None,
        "last_used": iso(row.last_used_at),
        "expires_at": iso(row.expires_at),
        "owner": user_basic(core, row.owner) if row.owner else None,
    }
