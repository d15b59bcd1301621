"""Trigger tokens, and which pipeline was started by which."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Key, Word
from app.models.pipelines import Pipeline
from app.models.projects import Project

#: A link whose job has yet to be told how its pipeline stands.
UNTOLD = "strategy <> '' AND status <> told_status"


class PipelineTrigger(Base):
    """A token that starts pipelines of a project in the name of its owner (gitlab.md B.5).

    Kept as a hash, and sealed because the API shows it to its owner again. Without an owner it starts nothing.
    """

    __tablename__ = "pipeline_triggers"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    description: Mapped[str] = mapped_column(String(255))
    token_hash: Mapped[str] = mapped_column(Word, unique=True)
    token_sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    project: Mapped[Project] = relationship()
    owner: Mapped[User | None] = relationship()

    @property
    def seal_context(self) -> str:
        return f"pipeline_trigger:{self.project_id}:{self.token_hash}"


class PipelineLink(Base):
    """Pipeline `pipeline_id` was started by the job `source_job_id` of the pipeline `source_pipeline_id`.

    `child`: it is a part of that pipeline, and is canceled and deleted with it. `strategy` is the trigger job's
    (`plan.Trigger`): unless it is empty, `status` follows the pipeline's in the same transaction, and `told_status` is
    the last one that the job heard of.
    """

    __tablename__ = "pipeline_links"

    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"), primary_key=True)
    source_pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"), index=True)
    source_job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    child: Mapped[bool]
    strategy: Mapped[str] = mapped_column(Word, default="")
    status: Mapped[str] = mapped_column(Word, default="")
    told_status: Mapped[str] = mapped_column(Word, default="")

    pipeline: Mapped[Pipeline] = relationship(foreign_keys=[pipeline_id])
    source_pipeline: Mapped[Pipeline] = relationship(foreign_keys=[source_pipeline_id])

    __table_args__ = (
        Index("ix_pipeline_links_untold", "pipeline_id", sqlite_where=text(UNTOLD), postgresql_where=text(UNTOLD)),
    )
