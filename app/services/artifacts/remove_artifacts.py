"""Remove artifacts: first the rows, then the bytes, so that no row ever points at nothing."""

from collections.abc import Iterable

import structlog

from app.models import Artifact, after_commit
from app.services.core import Core

log = structlog.get_logger(__name__)


def remove_artifacts(core: Core, artifacts: Iterable[Artifact]) -> None:
    """*In a write*: remove the rows now, and their bytes after the commit."""
    keys = []
    for artifact in list(artifacts):
        keys.append(artifact.storage_key)
        core.session.delete(artifact)
    after_commit(core.session, lambda: _remove_bytes(core, keys))


def _remove_bytes(core: Core, keys: list[str]) -> None:
    for key in keys:
        try:
            core.artifacts.remove(key)
        except OSError as error:
            log.warning("an artifact's bytes could not be removed", key=key, error=str(error))
