"""Merge requests, as far as pipelines know of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Key, Word
from app.models.projects import Project


class MergeRequest(Base):
    """What somebody said, with a push, that they want to merge: the same row for the same two branches, for ever.

    It is a name and a number for pipelines. Nobody reviews, approves or merges it, and it is never closed.
    """

    __tablename__ = "merge_requests"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    iid: Mapped[int] = mapped_column(Key)
    source_branch: Mapped[str] = mapped_column(String(1024))
    target_branch: Mapped[str] = mapped_column(String(1024))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    draft: Mapped[bool] = mapped_column(default=False)
    labels: Mapped[list[str]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    project: Mapped[Project] = relationship()

    __table_args__ = (
        Index("uq_merge_requests_iid", project_id, iid, unique=True),
        Index("uq_merge_requests_branches", project_id, source_branch, target_branch, unique=True),
    )


class MergeRequestPipeline(Base):
    """A pipeline that a push with a merge request made.

    `own`: it is the merge request's, or a child of that; else the source branch's, of the same push. `diff_base_sha`:
    where the source branch left the target; None where the two have no common past.
    """

    __tablename__ = "merge_request_pipelines"

    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id", ondelete="CASCADE"), primary_key=True)
    merge_request_id: Mapped[int] = mapped_column(ForeignKey("merge_requests.id", ondelete="CASCADE"), index=True)
    own: Mapped[bool]
    diff_base_sha: Mapped[str | None] = mapped_column(Word)

    merge_request: Mapped[MergeRequest] = relationship()
