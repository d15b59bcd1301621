"""How much room each project takes, counted now and then."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Key
from app.models.projects import Project


class ProjectUsage(Base):
    """Bytes and counts of a project's artifacts and logs, as they were at `measured_at`."""

    __tablename__ = "project_usages"

    project_id: Mapped[int] = mapped_column(
        Key, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    artifact_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    artifact_count: Mapped[int] = mapped_column(BigInteger, default=0)
    trace_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    job_count: Mapped[int] = mapped_column(BigInteger, default=0)
    total_bytes: Mapped[int] = mapped_column(BigInteger, default=0, index=True)
    measured_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
