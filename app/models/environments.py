"""Environments and what was deployed to them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.environments import AVAILABLE
from app.models.accounts import User
from app.models.base import Base, Key, Word
from app.models.jobs import Job
from app.models.projects import Project


class Environment(Base):
    """A place that jobs deploy to. `state`: available, stopping or stopped (`domain.environments`).

    `auto_stop_at`: the background stops it then. `external_url` is the last successful deployment's.
    """

    __tablename__ = "environments"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(Word)
    state: Mapped[str] = mapped_column(Word, default=AVAILABLE)
    tier: Mapped[str] = mapped_column(Word)
    external_url: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    auto_stop_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    project: Mapped[Project] = relationship()

    __table_args__ = (
        Index("uq_environments_name", project_id, name, unique=True),
        Index("ix_environments_slug", project_id, slug),
    )


class Deployment(Base):
    """One job's deployment to an environment. `job` None: the job was deleted since.

    `status` follows the job: created, running, success, failed, canceled or skipped. `on_stop` names the job of the
    same pipeline that stops the environment.
    """

    __tablename__ = "deployments"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    environment_id: Mapped[int] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    pipeline_id: Mapped[int | None] = mapped_column(ForeignKey("pipelines.id", ondelete="SET NULL"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    ref: Mapped[str] = mapped_column(String(1024))
    tag: Mapped[bool] = mapped_column(default=False)
    sha: Mapped[str] = mapped_column(Word)
    status: Mapped[str] = mapped_column(Word)
    on_stop: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    environment: Mapped[Environment] = relationship()
    job: Mapped[Job | None] = relationship()
    user: Mapped[User | None] = relationship()

    __table_args__ = (
        Index("ix_deployments_project_id", project_id, id),
        Index("ix_deployments_environment_status", environment_id, status, id),
    )
