"""Mirrored projects that wait to be fetched."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class MirrorFetch(Base):
    """A fetch that somebody asked for: the row goes when it is done. `started_at`: None while it waits for its turn."""

    __tablename__ = "mirror_fetches"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    requested_at: Mapped[datetime] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
