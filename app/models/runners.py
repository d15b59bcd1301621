"""Runners (a token and what it may take) and their managers (the daemons that use the token)."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Json, Key, Word


class Runner(Base):
    """What a `glrt-` token stands for. `runner_type`: instance_type, group_type or project_type.

    `access_level`: not_protected, or ref_protected (takes only jobs of protected refs). `maximum_timeout` in seconds.
    """

    __tablename__ = "runners"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    runner_type: Mapped[str] = mapped_column(Word)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(Word, unique=True)
    token_expires_at: Mapped[datetime | None]
    description: Mapped[str] = mapped_column(Text, default="")
    maintenance_note: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]]
    run_untagged: Mapped[bool] = mapped_column(default=True)
    locked: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    access_level: Mapped[str] = mapped_column(Word, default="not_protected")
    maximum_timeout: Mapped[int | None]
    creator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    contacted_at: Mapped[datetime | None]

    creator: Mapped[User | None] = relationship()
    shared_with: Mapped[list["RunnerProject"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)
    managers: Mapped[list["RunnerManager"]] = relationship(
        back_populates="runner", cascade="all, delete-orphan", order_by="RunnerManager.id"
    )

    __table_args__ = (
        CheckConstraint("runner_type in ('instance_type', 'group_type', 'project_type')", name="runner_type"),
        Index("ix_runners_type", runner_type),
    )


class RunnerManager(Base):
    """One daemon that works with a runner's token, told apart by its `system_id`. `features` as in gitlab.md A.2."""

    __tablename__ = "runner_managers"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    runner_id: Mapped[int] = mapped_column(ForeignKey("runners.id", ondelete="CASCADE"))
    system_id: Mapped[str] = mapped_column(String(255))
    version: Mapped[str | None] = mapped_column(String(255))
    revision: Mapped[str | None] = mapped_column(String(255))
    platform: Mapped[str | None] = mapped_column(String(255))
    architecture: Mapped[str | None] = mapped_column(String(255))
    executor: Mapped[str | None] = mapped_column(String(255))
    ip_address: Mapped[str | None] = mapped_column(String(255))
    features: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    contacted_at: Mapped[datetime | None]

    runner: Mapped[Runner] = relationship(back_populates="managers")

    __table_args__ = (Index("uq_runner_managers_system_id", runner_id, system_id, unique=True),)


class RunnerProject(Base):
    """A project, other than its own, whose jobs a project's runner takes too."""

    __tablename__ = "runner_projects"

    runner_id: Mapped[int] = mapped_column(ForeignKey("runners.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True)


class RegistrationToken(Base):
    """With it runners register for a project, or for a group. The instance's own is a `Setting`."""

    __tablename__ = "registration_tokens"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(Word, unique=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("(group_id is null) <> (project_id is null)", name="one_place"),
        Index("uq_registration_tokens_project", project_id, unique=True),
        Index("uq_registration_tokens_group", group_id, unique=True),
    )
