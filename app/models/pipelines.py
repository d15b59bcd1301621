"""Pipelines, how they are defined, and the pushes that make them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.domain import calculated_status as calculated
from app.domain import search
from app.models.accounts import User
from app.models.base import Base, Json, Key, Word
from app.models.projects import Project

#: A pipeline whose older ones are still to be canceled.
REPLACING = "replaces_older"


class PipelineDefinition(Base):
    """One named way to run a project's pipelines: a configuration path, or stored text. Every project has one
    `is_default`.

    A trigger token starts it from outside: kept as a hash, and sealed because APIs show it again.
    """

    __tablename__ = "pipeline_definitions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    is_default: Mapped[bool] = mapped_column(default=False)
    config_path: Mapped[str | None] = mapped_column(String(255))
    stored_text: Mapped[str | None] = mapped_column(Text)
    trigger_token_hash: Mapped[str | None] = mapped_column(Word, unique=True)
    trigger_token_sealed: Mapped[str | None] = mapped_column(Text)
    public: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    project: Mapped[Project] = relationship()

    __table_args__ = (Index("uq_pipeline_definitions_name", project_id, name, unique=True),)


class PipelineAssignee(Base):
    """A user who may see, run and change one definition, whatever their role in its project is."""

    __tablename__ = "pipeline_assignees"

    definition_id: Mapped[int] = mapped_column(
        ForeignKey("pipeline_definitions.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime]


class DefinitionVariable(Base):
    """A variable of the pipelines of one definition alone; it wins over those of the project.

    `hidden`: nobody is shown the value again, and logs neither.
    """

    __tablename__ = "definition_variables"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("pipeline_definitions.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    value_sealed: Mapped[str] = mapped_column(Text)
    hidden: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    definition: Mapped[PipelineDefinition] = relationship()

    __table_args__ = (Index("uq_definition_variables_key", definition_id, key, unique=True),)

    @property
    def seal_context(self) -> str:
        """What binds the encrypted value to this row's place (`crypto.SecretBox`)."""
        return f"definition_variable:{self.definition_id}:{self.key}"


class Pipeline(Base):
    """One run. `ref` is the short name, `tag` says of which kind; `iid` counts in the project.

    `message` is what whoever started it wrote about it; None: the commit's counts. `config_text` is kept for reruns.
    `variables_sealed` holds the variables given when it was started, as sealed JSON.
    `failure_reason` config_error: `yaml_errors` says what is wrong and there are no jobs.
    `yaml_warnings`: what runs, but hardly as its author thought. Both hold a line for each.
    `calculated_status` (`domain.calculated_status`) moves in the transaction that moves the jobs, at the time beside
    it; None: never moved. `search_text` is the commit's author and message, folded (`domain.search`).
    `auto_cancel_…` are the plan's (`domain.plan.Plan`); `auto_canceled_by_id`: the newer pipeline that replaced
    it, which may be deleted by now. `replaces_older`: it replaces older ones itself, which are still to be canceled.
    `trigger_short_token`: how the trigger token begins that started it.
    """

    __tablename__ = "pipelines"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    iid: Mapped[int] = mapped_column(Key)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    definition_id: Mapped[int | None] = mapped_column(ForeignKey("pipeline_definitions.id", ondelete="SET NULL"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    source_pipeline_id: Mapped[int | None] = mapped_column(ForeignKey("pipelines.id", ondelete="SET NULL"), index=True)
    name: Mapped[str | None] = mapped_column(String(255))
    message: Mapped[str | None] = mapped_column(Text)
    ref: Mapped[str] = mapped_column(String(1024))
    tag: Mapped[bool] = mapped_column(default=False)
    protected: Mapped[bool] = mapped_column(default=False)
    sha: Mapped[str] = mapped_column(Word)
    before_sha: Mapped[str] = mapped_column(Word)
    source: Mapped[str] = mapped_column(Word)
    status: Mapped[str] = mapped_column(Word)
    failure_reason: Mapped[str | None] = mapped_column(Word)
    yaml_errors: Mapped[str | None] = mapped_column(Text)
    yaml_warnings: Mapped[str | None] = mapped_column(Text)
    config_path: Mapped[str | None] = mapped_column(String(255))
    config_text: Mapped[str | None] = mapped_column(Text, deferred=True)
    variables_sealed: Mapped[str | None] = mapped_column(Text, deferred=True)
    stages: Mapped[list[str]]
    commit: Mapped[dict[str, Any]] = mapped_column(Json)
    search_text: Mapped[str] = mapped_column(Text, default="", deferred=True)
    auto_cancel_on_new_commit: Mapped[str] = mapped_column(Word, default="none")
    auto_cancel_on_job_failure: Mapped[str] = mapped_column(Word, default="none")
    auto_canceled_by_id: Mapped[int | None] = mapped_column(Key)
    replaces_older: Mapped[bool] = mapped_column(default=False)
    trigger_short_token: Mapped[str | None] = mapped_column(Word)
    calculated_status: Mapped[str] = mapped_column(Word, default=calculated.NEW)
    calculated_status_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    project: Mapped[Project] = relationship()
    user: Mapped[User | None] = relationship()
    definition: Mapped[PipelineDefinition | None] = relationship()

    __table_args__ = (
        Index("uq_pipelines_iid", project_id, iid, unique=True),
        Index("ix_pipelines_project_id_id", project_id, id),
        Index("ix_pipelines_project_ref", project_id, ref, id),
        Index("ix_pipelines_project_status", project_id, status, id),
        Index("ix_pipelines_project_sha", project_id, sha),
        Index("ix_pipelines_project_calculated_status", project_id, calculated_status, id),
        Index("ix_pipelines_replacing", id, sqlite_where=text(REPLACING), postgresql_where=text(REPLACING)),
        # All that trends read of a pipeline.
        Index(
            "ix_pipelines_ended",
            *("project_id", "finished_at", "ref", "status", "created_at", "started_at"),
            sqlite_where=text("finished_at is not null"),
            postgresql_where=text("finished_at is not null"),
        ),
    )

    @validates("commit")
    def _note_search_text(self, _key: str, commit: dict[str, Any]) -> dict[str, Any]:
        texts = (commit.get(name, "") for name in ("author_name", "author_email", "message"))
        self.search_text = search.fold("\n".join(texts))
        return commit

    @property
    def seal_context(self) -> str:
        return f"pipeline_variables:{self.project_id}:{self.iid}"


class Push(Base):
    """The journal of one push, written before git gets it, so that a crash between push and pipelines loses neither.

    `refs` is [{ref, old, new}]; `finished_at` is set in the transaction that made the pipelines.
    """

    __tablename__ = "pushes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    refs: Mapped[list[Any]]
    options: Mapped[list[str]]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
