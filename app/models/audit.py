"""The audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Word


class AuditEvent(Base):
    """Somebody did something. A row outlives what it is about, so names stand beside the keys as they were then.

    `actor` is a user's name, empty where nobody is known; `way` how they were known (`domain.audit.Caller`). `place` is
    the full path of the project or group, `target` what in it was acted on. `details` never hold a secret.
    """

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    created_at: Mapped[datetime]
    action: Mapped[str] = mapped_column(Word)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(255))
    way: Mapped[str] = mapped_column(String(300))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="SET NULL"))
    place: Mapped[str] = mapped_column(String(1024))
    target: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]]

    __table_args__ = (
        Index("ix_audit_events_project_id", project_id, id),
        Index("ix_audit_events_group_id", group_id),
        Index("ix_audit_events_actor_id", actor_id, id),
        Index("ix_audit_events_action", action, id),
    )
