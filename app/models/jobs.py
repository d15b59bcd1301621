"""Jobs, their steps and their artifacts."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Json, Key, Word
from app.models.pipelines import Pipeline
from app.models.projects import Project
from app.models.runners import Runner, RunnerManager


def _partial(name: str, condition: str, *columns: str) -> Index:
    """An index of the few rows that are waiting or running, small however many have ended."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


#: A trigger job that follows the pipeline which it started.
FOLLOWING = "bridge AND started_at IS NOT NULL AND finished_at IS NULL"


class TagSet(Base):
    """One distinct set of job tags, so that a claim compares numbers: a runner works out once which sets it fits."""

    __tablename__ = "tag_sets"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    tags_key: Mapped[str] = mapped_column(Text, unique=True)
    tags: Mapped[list[str]]


class Job(Base):
    """One job of a pipeline. A retry makes a new row and marks the old one `retried`.

    `plan` is its `JobPlan` as JSON (`domain.plan_json`); `needs` and `when`, `stage_index`, `allow_failure` stand
    beside it because processing reads them of every job of the pipeline. `needs` None: waits for its stages.
    `lease_expires_at`: silent for longer, the job is lost; `heard_at` None: claimed, and nothing heard of the runner
    since.
    `enqueue_immediately`: a manual or delayed job that was asked for already. `resource_group_id`: it runs only while
    it holds that group's resource (`Resource`); no foreign key, as a group ends only with its project and its jobs.
    `delivers`: its plan names an environment, a release or a site, so that more follows when it ends.
    `trace_crc` is the CRC-32 of the `trace_size` bytes received.
    `bridge`: a trigger job (`plan.Trigger`), which no runner ever gets.
    """

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(255))
    stage: Mapped[str] = mapped_column(String(255))
    stage_index: Mapped[int]
    status: Mapped[str] = mapped_column(Word)
    when: Mapped[str] = mapped_column(Word)
    allow_failure: Mapped[bool] = mapped_column(default=False)
    needs: Mapped[list[Any] | None] = mapped_column(Json)
    plan: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    variables_sealed: Mapped[str | None] = mapped_column(Text, deferred=True)
    tag_set_id: Mapped[int] = mapped_column(ForeignKey("tag_sets.id"))
    protected: Mapped[bool] = mapped_column(default=False)
    required_features: Mapped[list[str]]
    timeout: Mapped[int]
    interruptible: Mapped[bool] = mapped_column(default=False)
    enqueue_immediately: Mapped[bool] = mapped_column(default=False)
    resource_group_id: Mapped[int | None] = mapped_column(Key)
    bridge: Mapped[bool] = mapped_column(default=False)
    delivers: Mapped[bool] = mapped_column(default=False)
    retried: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=1)
    runner_id: Mapped[int | None] = mapped_column(ForeignKey("runners.id", ondelete="SET NULL"), index=True)
    runner_manager_id: Mapped[int | None] = mapped_column(ForeignKey("runner_managers.id", ondelete="SET NULL"))
    token_hash: Mapped[str | None] = mapped_column(Word, unique=True)
    failure_reason: Mapped[str | None] = mapped_column(Word)
    exit_code: Mapped[int | None]
    failure_message: Mapped[str | None] = mapped_column(Text)
    waiting_reason: Mapped[str | None] = mapped_column(Text)
    coverage: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[datetime]
    queued_at: Mapped[datetime | None]
    scheduled_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    lease_expires_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    trace_size: Mapped[int] = mapped_column(BigInteger, default=0)
    trace_crc: Mapped[int] = mapped_column(BigInteger, default=0)
    trace_mismatches: Mapped[int] = mapped_column(default=0)
    artifacts_expire_at: Mapped[datetime | None]

    project: Mapped[Project] = relationship()
    pipeline: Mapped[Pipeline] = relationship(backref="jobs")
    user: Mapped[User | None] = relationship()
    runner: Mapped[Runner | None] = relationship()
    runner_manager: Mapped[RunnerManager | None] = relationship()
    tag_set: Mapped[TagSet] = relationship()
    artifacts: Mapped[list["Artifact"]] = relationship(
        back_populates="job", cascade="all, delete-orphan", order_by="Artifact.id"
    )
    steps: Mapped[list["JobStep"]] = relationship(
        back_populates="job", cascade="all, delete-orphan", order_by="JobStep.position"
    )

    __table_args__ = (
        Index("ix_jobs_pipeline_id_id", "pipeline_id", "id"),
        Index("ix_jobs_project_id_id", "project_id", "id"),
        Index("ix_jobs_project_status", "project_id", "status", "id"),
        _partial("ix_jobs_queue", "status = 'pending'", "queued_at", "id"),
        _partial("ix_jobs_queue_project", "status = 'pending'", "project_id", "tag_set_id", "id"),
        _partial("ix_jobs_bridges", "status = 'pending'", "bridge", "id"),
        _partial("ix_jobs_following", FOLLOWING, "id"),
        _partial("ix_jobs_leases", "lease_expires_at is not null", "lease_expires_at"),
        _partial("ix_jobs_scheduled", "status = 'scheduled'", "scheduled_at"),
        _partial(
            "ix_jobs_resource_group", "resource_group_id is not null", "resource_group_id", "status", "pipeline_id"
        ),
        # All that trends read of a job, so that they never touch the wide rows themselves.
        _partial(
            "ix_jobs_ended",
            "finished_at is not null",
            *("project_id", "finished_at", "name", "status", "queued_at", "started_at", "pipeline_id", "coverage"),
        ),
        _partial("ix_jobs_running_project", "status = 'running'", "project_id", "runner_id"),
    )

    @property
    def tags(self) -> list[str]:
        return list(self.tag_set.tags)

    @property
    def seal_context(self) -> str:
        return f"job_variables:{self.pipeline_id}:{self.name}"


class JobStep(Base):
    """One step of a job, made from the plan; our runner reports it (`steps` in PUT /jobs/:id), others leave it as it
    is.

    `trace_start` and `trace_end` are byte offsets in the job's trace.
    """

    __tablename__ = "job_steps"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    phase: Mapped[str] = mapped_column(Word)
    image: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Word, default="created")
    exit_code: Mapped[int | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    trace_start: Mapped[int | None] = mapped_column(BigInteger)
    trace_end: Mapped[int | None] = mapped_column(BigInteger)

    job: Mapped[Job] = relationship(back_populates="steps")

    __table_args__ = (Index("uq_job_steps_position", "job_id", "position", unique=True),)


class Resource(Base):
    """What one job of a group holds at a time, from before it is pending until it has ended. `job_id` None: free."""

    __tablename__ = "resources"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    resource_group_id: Mapped[int] = mapped_column(ForeignKey("resource_groups.id", ondelete="CASCADE"), unique=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), unique=True)


class Artifact(Base):
    """One file that a job uploaded: its archive, or a report. The bytes lie in storage under `storage_key`.

    `expire_at` None: kept for good.
    """

    __tablename__ = "artifacts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    file_type: Mapped[str] = mapped_column(Word)
    file_format: Mapped[str] = mapped_column(Word)
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Word)
    storage_key: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]
    expire_at: Mapped[datetime | None] = mapped_column(index=True)

    job: Mapped[Job] = relationship(back_populates="artifacts")

    __table_args__ = (Index("uq_artifacts_type", job_id, file_type, unique=True),)
