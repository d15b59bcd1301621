"""What other systems say of a commit, beside the pipelines that run here."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Key, Word
from app.models.pipelines import Pipeline


class CommitStatus(Base):
    """One job that runs elsewhere, as it was reported (gitlab.md B.10). It counts in its pipeline's status.

    Reported again after it ended, it gets a new row, and the old one is `retried`.
    """

    __tablename__ = "commit_statuses"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(Word)
    target_url: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    coverage: Mapped[float | None] = mapped_column(Double)
    retried: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    pipeline: Mapped[Pipeline] = relationship()
    user: Mapped[User | None] = relationship()

    __table_args__ = (Index("ix_commit_statuses_pipeline_id_name", "pipeline_id", "name"),)
