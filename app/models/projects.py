"""Groups, projects, who belongs to them, which refs are protected, and their CI variables."""

import secrets
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Key, Word


class Group(Base):
    """A folder of projects. `full_path` names it from the top: group/subgroup."""

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="RESTRICT"), index=True)
    path: Mapped[str] = mapped_column(String(255))
    full_path: Mapped[str] = mapped_column(String(1024))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[str] = mapped_column(Word, default="private")
    created_at: Mapped[datetime]

    parent: Mapped["Group | None"] = relationship(remote_side=[id])

    __table_args__ = (Index("uq_groups_full_path", func.lower(full_path), unique=True),)


class Project(Base):
    """One repository and its pipelines.

    `repository`: hosted (pushed to here), mirrored (fetched from `mirror_url_sealed`) or none. `visibility`: private,
    internal, public.
    `last_iid` numbers the pipelines; it moves only in the transaction that makes one. `badge_key` opens the badges of a
    private project too, and nothing else. Pushes to `ignored_branches` (`domain.branch_patterns`) start nothing.
    `auto_cancel_pending_pipelines`: a newer commit cancels older pipelines of its ref, as far as these allow it.
    `variables_role`: the least role that may give a pipeline variables (`domain.variables_role`).
    `limit_job_tokens`: of other projects' job tokens only those count here that a `JobTokenGrant` names.
    """

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="RESTRICT"), index=True)
    path: Mapped[str] = mapped_column(String(255))
    full_path: Mapped[str] = mapped_column(String(1024))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[str] = mapped_column(Word, default="private")
    repository: Mapped[str] = mapped_column(Word, default="hosted")
    mirror_url_sealed: Mapped[str | None] = mapped_column(Text)
    mirror_fetched_at: Mapped[datetime | None]
    mirror_error: Mapped[str | None] = mapped_column(Text)
    default_branch: Mapped[str] = mapped_column(String(255), default="main")
    config_path: Mapped[str] = mapped_column(String(255), default=".gitlab-ci.yml")
    build_timeout: Mapped[int] = mapped_column(default=3600)
    git_strategy: Mapped[str] = mapped_column(Word, default="fetch")
    git_depth: Mapped[int] = mapped_column(default=20)
    public_jobs: Mapped[bool] = mapped_column(default=True)
    instance_runners: Mapped[bool] = mapped_column(default=True)
    archived: Mapped[bool] = mapped_column(default=False)
    badge_key: Mapped[str] = mapped_column(Word, default=lambda: secrets.token_hex(16))
    ignored_branches: Mapped[list[str]] = mapped_column(default=list)
    auto_cancel_pending_pipelines: Mapped[bool] = mapped_column(default=True)
    variables_role: Mapped[str] = mapped_column(Word, default="developer")
    limit_job_tokens: Mapped[bool] = mapped_column(default=True)
    creator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_iid: Mapped[int] = mapped_column(Key, default=0)
    created_at: Mapped[datetime]
    last_activity_at: Mapped[datetime]

    group: Mapped[Group] = relationship()

    __table_args__ = (
        Index("uq_projects_full_path", func.lower(full_path), unique=True),
        Index("ix_projects_path", func.lower(path)),
        Index("uq_projects_badge_key", badge_key, unique=True),
        CheckConstraint("visibility in ('private', 'internal', 'public')", name="visibility"),
        CheckConstraint("repository in ('hosted', 'mirrored', 'none')", name="repository"),
    )


class Membership(Base):
    """A user's role (`domain.permissions.Role`) in a group and all below it, or in one project."""

    __tablename__ = "memberships"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    role: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("(group_id is null) <> (project_id is null)", name="one_source"),
        Index("uq_memberships_user_group", user_id, group_id, unique=True),
        Index("uq_memberships_user_project", user_id, project_id, unique=True),
    )


class ProtectedRef(Base):
    """A branch or tag, by name or with `*`, that only `push_role` and above may move, and whose jobs see protected
    variables.

    `push_role` is a Role, or 0 for nobody. `kind`: branch or tag. `merge_role` is kept for clients that set it and read
    it again; nothing is merged here. None: as `push_role`.
    """

    __tablename__ = "protected_refs"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Word)
    pattern: Mapped[str] = mapped_column(String(255))
    push_role: Mapped[int]
    merge_role: Mapped[int | None]
    allow_force_push: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index("uq_protected_refs_pattern", project_id, kind, pattern, unique=True),)


class CiVariable(Base):
    """A CI variable of a project, of a group and all below it, or of the instance (both ids None)."""

    __tablename__ = "ci_variables"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    value_sealed: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    environment_scope: Mapped[str] = mapped_column(String(255), default="*")
    protected: Mapped[bool] = mapped_column(default=False)
    masked: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    raw: Mapped[bool] = mapped_column(default=False)
    file: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    __table_args__ = (
        Index(
            "uq_ci_variables_scope",
            func.coalesce(project_id, 0),
            func.coalesce(group_id, 0),
            key,
            environment_scope,
            unique=True,
        ),
    )

    @property
    def seal_context(self) -> str:
        """What binds the encrypted value to this row's place (`crypto.SecretBox`)."""
        return f"ci_variable:{self.project_id or 0}:{self.group_id or 0}:{self.key}"
