"""Who acts for a project or group without being a person: its bots, and the job tokens of projects that it trusts."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Key
from app.models.projects import Group, Project


class Bot(Base):
    """A user (`User.bot`) that has the access tokens of a project or of a group; its role there is a membership."""

    __tablename__ = "bots"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), index=True)

    user: Mapped[User] = relationship()

    __table_args__ = (CheckConstraint("(group_id is null) <> (project_id is null)", name="one_place"),)


class JobTokenGrant(Base):
    """Jobs of `source_project`, or of all projects in `source_group`, may use their tokens in `project_id`."""

    __tablename__ = "job_token_grants"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    source_project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    source_group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]

    source_project: Mapped[Project | None] = relationship(foreign_keys=[source_project_id])
    source_group: Mapped[Group | None] = relationship()

    __table_args__ = (
        CheckConstraint("(source_group_id is null) <> (source_project_id is null)", name="one_source"),
        Index("uq_job_token_grants_project", project_id, source_project_id, unique=True),
        Index("uq_job_token_grants_group", project_id, source_group_id, unique=True),
    )
