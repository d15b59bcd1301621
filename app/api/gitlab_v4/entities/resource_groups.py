"""Resource groups."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.models import ResourceGroup


def resource_group(row: ResourceGroup) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "process_mode": row.process_mode,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }
