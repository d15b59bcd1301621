"""Rows of the audit log that are older than they are to be kept."""

from datetime import timedelta

from sqlalchemy import delete, select

from app.models import AuditEvent, write
from app.services.core import Core

#: So many rows are removed in one transaction.
BATCH = 1000


def remove_old_events(core: Core) -> int:
    """Remove what `SKERRY_AUDIT_RETENTION` says; return how many rows that were. For the background's loop.

    Rows are written in the order of time: the oldest are the first by their key, so that no index is asked for.
    """
    if not core.config.audit_retention:
        return 0
    before, removed = core.now() - timedelta(seconds=core.config.audit_retention), 0
    while not core.bus.stopping:
        with write(core.session):
            first = select(AuditEvent.id, AuditEvent.created_at).order_by(AuditEvent.id).limit(BATCH)
            due = [row.id for row in core.session.execute(first) if row.created_at < before]
            core.session.execute(delete(AuditEvent).where(AuditEvent.id.in_(due)))
        removed += len(due)
        if len(due) < BATCH:
            break
    return removed
