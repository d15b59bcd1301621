"""Resource groups: jobs of a project of which only one runs at a time (gitlab.md C.11)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Word


class ResourceGroup(Base):
    """A name that jobs of one project share. `process_mode` (`domain.resource_groups`) says whose turn is next."""

    __tablename__ = "resource_groups"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    process_mode: Mapped[str] = mapped_column(Word, default="unordered")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("uq_resource_groups_key", project_id, key, unique=True),)
