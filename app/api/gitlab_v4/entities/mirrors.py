"""How the fetches of a mirrored project stand."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso
from app.models import Project
from app.services.core import Core
from app.services.repositories.change_mirror import mirror_origin
from app.services.repositories.request_fetch import FetchState


def pull_mirror(core: Core, project: Project, state: FetchState) -> dict[str, Any]:
    """Without the credentials of its address."""
    origin = mirror_origin(core, project)
    return {
        "id": project.id,
        "enabled": True,
        "url": origin.address if origin else None,
        "update_status": state.status,
        "last_error": state.error,
        "last_update_started_at": iso(state.started_at),
        "last_successful_update_at": iso(state.fetched_at),
    }
