"""Releases, the orders for them, and the web sites that jobs publish."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Key, Word
from app.models.jobs import Artifact, Job
from app.models.projects import Project


class Release(Base):
    """A version that was given out: a tag with a name and notes. `sha` is the tag's commit."""

    __tablename__ = "releases"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    tag_name: Mapped[str] = mapped_column(String(1024))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    sha: Mapped[str] = mapped_column(Word)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    milestones: Mapped[list[str]] = mapped_column(default=list)
    released_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    author: Mapped[User | None] = relationship()
    links: Mapped[list["ReleaseLink"]] = relationship(
        back_populates="release", cascade="all, delete-orphan", order_by="ReleaseLink.id"
    )

    __table_args__ = (
        Index("uq_releases_tag_name", project_id, tag_name, unique=True),
        Index("ix_releases_released_at", "project_id", "released_at"),
    )


class ReleaseLink(Base):
    """An address among a release's assets. `filepath` begins with a slash."""

    __tablename__ = "release_links"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(Text)
    filepath: Mapped[str | None] = mapped_column(String(255))
    link_type: Mapped[str] = mapped_column(Word, default="other")
    created_at: Mapped[datetime]

    release: Mapped[Release] = relationship(back_populates="links")

    __table_args__ = (Index("uq_release_links_name", release_id, name, unique=True),)


class ReleaseOrder(Base):
    """A job with `release` has passed and its release is yet to be made: written with the job's end, so that a crash
    in between loses nothing.
    """

    __tablename__ = "release_orders"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    job: Mapped[Job] = relationship()


class PagesSite(Base):
    """A folder of a job's archive that is served as a web site, one for each `path_prefix` of a project.

    While it is served the archive does not expire; `artifact_expire_at` is when it would have. `expire_at`: the site
    ends then.
    """

    __tablename__ = "pages_sites"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    path_prefix: Mapped[str] = mapped_column(Word, default="")
    artifact_id: Mapped[int] = mapped_column(ForeignKey("artifacts.id", ondelete="CASCADE"), index=True)
    root: Mapped[str] = mapped_column(String(1024))
    artifact_expire_at: Mapped[datetime | None]
    expire_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]

    artifact: Mapped[Artifact] = relationship()
    project: Mapped[Project] = relationship()

    __table_args__ = (Index("uq_pages_sites_prefix", project_id, path_prefix, unique=True),)
