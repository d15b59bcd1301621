"""What was read out of the reports that jobs uploaded."""

from datetime import datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Key, Word
from app.models.jobs import Job


class DotenvReport(Base):
    """The variables that a job hands on (gitlab.md C.14), as sealed JSON."""

    __tablename__ = "dotenv_reports"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    variables_sealed: Mapped[str] = mapped_column(Text)

    @staticmethod
    def seal_context(job_id: int) -> str:
        return f"dotenv_report:{job_id}"


class JunitReport(Base):
    """A job's JUnit report in figures. `suite` is the name that reports of one parallel job share.

    `problem`: why it could not be read; then there are no cases. The figures count all cases, rows are kept of the
    first so many.
    """

    __tablename__ = "junit_reports"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    suite: Mapped[str] = mapped_column(String(255))
    problem: Mapped[str | None] = mapped_column(Text)
    seconds: Mapped[float] = mapped_column(Double, default=0.0)
    success: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    error: Mapped[int] = mapped_column(default=0)

    job: Mapped[Job] = relationship()

    @property
    def total(self) -> int:
        return self.success + self.failed + self.skipped + self.error


class JunitCase(Base):
    """One test of a job. `suite` is the report's own word for it; `rank` puts failures first.

    `case_key` is what it is found by again in other runs (`domain.test_history`); None in reports of older versions.
    """

    __tablename__ = "junit_cases"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("junit_reports.job_id", ondelete="CASCADE"))
    rank: Mapped[int]
    status: Mapped[str] = mapped_column(Word)
    suite: Mapped[str] = mapped_column(Text)
    classname: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float] = mapped_column(Double)
    output: Mapped[str] = mapped_column(Text)
    system_output: Mapped[str] = mapped_column(Text)
    case_key: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_junit_cases_job_rank", "job_id", "rank", "id"),
        Index("ix_junit_cases_case_key", "case_key", "job_id"),
    )


class FlakyTest(Base):
    """A test that failed and passed on one commit, noted when the second of the two reports came in.

    `suite` is that of the report, `title` the test's class and name.
    """

    __tablename__ = "test_flakes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    case_key: Mapped[int] = mapped_column(BigInteger)
    sha: Mapped[str] = mapped_column(Word)
    suite: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_test_flakes_case", "project_id", "case_key", "seen_at"),
        Index("ix_test_flakes_project_seen_at", "project_id", "seen_at"),
    )
