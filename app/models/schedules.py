"""Schedules of pipelines, and which pipelines came of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Key
from app.models.projects import Project


class PipelineSchedule(Base):
    """Runs a pipeline of `ref` (in full: refs/heads/x) whenever `cron` is due in `cron_timezone`.

    It runs with the rights of its `owner`. `next_run_at` moves in the transaction that makes the pipeline, so every run
    happens once, however many servers look. `inputs` is [{name, value}]; `variables_sealed` sealed JSON, as on a
    pipeline. `last_error` says why the newest run made no pipeline.
    """

    __tablename__ = "pipeline_schedules"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    description: Mapped[str] = mapped_column(Text)
    ref: Mapped[str] = mapped_column(String(1024))
    cron: Mapped[str] = mapped_column(String(255))
    cron_timezone: Mapped[str] = mapped_column(String(255), default="UTC")
    active: Mapped[bool] = mapped_column(default=True)
    next_run_at: Mapped[datetime] = mapped_column()
    inputs: Mapped[list[Any]]
    variables_sealed: Mapped[str | None] = mapped_column(Text, deferred=True)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    owner: Mapped[User | None] = relationship()

    __table_args__ = (
        Index("ix_pipeline_schedules_project_id", project_id, id),
        Index("ix_pipeline_schedules_due", active, next_run_at),
    )

    @property
    def seal_context(self) -> str:
        return f"schedule_variables:{self.project_id}:{self.id}"


class ScheduleRun(Base):
    """That a pipeline came of a schedule."""

    __tablename__ = "schedule_runs"

    pipeline_id: Mapped[int] = mapped_column(
        Key, ForeignKey("pipelines.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    schedule_id: Mapped[int] = mapped_column(ForeignKey("pipeline_schedules.id", ondelete="CASCADE"))

    __table_args__ = (Index("ix_schedule_runs_schedule_id", schedule_id, pipeline_id),)
