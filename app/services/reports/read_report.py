"""Read a report when it is uploaded, before its job is held, and keep what it says in rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import delete, insert

from app.domain import dotenv, junit
from app.domain.errors import InvalidReport
from app.domain.test_history import case_key
from app.models import DotenvReport, Job, JunitCase, JunitReport
from app.services.core import Core
from app.services.reports.dotenv_variables import sealed_report
from app.services.reports.flaky_tests import note_flaky_tests
from app.services.reports.report_files import report_files
from app.services.reports.suites import suite_name

#: What a JUnit report may be inflated to, in bytes.
JUNIT_LIMIT = 100 * 1024 * 1024
#: Of how many cases a job keeps rows; all are counted. Failures come first.
MOST_ROWS = 10_000
_BATCH = 1000
_RANKS = {status: rank for rank, status in enumerate((junit.FAILED, junit.ERROR, junit.SKIPPED, junit.SUCCESS))}


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a report says. `problem`: why its tests could not be read."""

    file_type: str
    variables: dict[str, str] = field(default_factory=dict)
    cases: Sequence[junit.Case] = ()
    problem: str | None = None


def read_report(core: Core, file_type: str, file_format: str, storage_key: str) -> ReadReport | None:
    """What the stored file says, for the types that are read here (dotenv, junit); None for all others.

    Raises InvalidReport for a dotenv report that cannot be taken. A JUnit report always can: its problem is kept.
    """
    if file_type == "dotenv":
        with core.artifacts.open(storage_key) as file:
            files = (b"".join(pieces) for pieces in report_files(file, file_format, dotenv.MOST_BYTES * 4))
            return ReadReport(file_type, variables=dotenv.parse(files))
    if file_type == "junit":
        with core.artifacts.open(storage_key) as file:
            return _read_junit(file, file_format)
    return None


def _read_junit(file: BinaryIO, file_format: str) -> ReadReport:
    parser = junit.Parser()
    try:
        for pieces in report_files(file, file_format, JUNIT_LIMIT):
            parser.read(pieces)
    except (junit.UnreadableError, InvalidReport) as error:
        return ReadReport("junit", problem=f"JUnit XML parsing failed: {error}")
    return ReadReport("junit", cases=parser.cases)


def keep_report(core: Core, job: Job, report: ReadReport) -> None:
    """*In a write*, with `job` held: put `report` into rows."""
    if report.file_type == "dotenv":
        core.session.add(sealed_report(core, job.id, report.variables))
        return
    counts = dict.fromkeys(junit.STATUSES, 0)
    for case in report.cases:
        counts[case.status] += 1
    seconds = sum(case.seconds for case in report.cases)
    core.session.add(
        JunitReport(job_id=job.id, suite=suite_name(job.name), problem=report.problem, seconds=seconds, **counts)
    )
    core.session.flush()
    rows = sorted((_row(job, case) for case in report.cases), key=lambda row: row["rank"])[:MOST_ROWS]
    for start in range(0, len(rows), _BATCH):
        core.session.execute(insert(JunitCase), rows[start : start + _BATCH])
    note_flaky_tests(core, job, report.cases)


def _row(job: Job, case: junit.Case) -> dict[str, Any]:
    return {
        "case_key": case_key(job.project_id, suite_name(job.name), case),
        "job_id": job.id,
        "rank": _RANKS[case.status],
        "status": case.status,
        "suite": case.suite,
        "classname": case.classname,
        "name": case.name,
        "file": case.file,
        "seconds": case.seconds,
        "output": case.output,
        "system_output": case.system_output,
    }


def forget_tests(core: Core, job_id: int) -> None:
    """*In a write*: remove what the JUnit report of a job said."""
    core.session.execute(delete(JunitReport).where(JunitReport.job_id == job_id))


def forget_cases(core: Core, job_ids: Iterable[int]) -> None:
    """*In a write*: these jobs' tests one by one; the figures of all of them together stay, as they cost nothing."""
    core.session.execute(delete(JunitCase).where(JunitCase.job_id.in_(list(job_ids))))


def forget_reports(core: Core, job_id: int) -> None:
    """*In a write*: remove all that the reports of a job said, what it hands on too."""
    forget_tests(core, job_id)
    core.session.execute(delete(DotenvReport).where(DotenvReport.job_id == job_id))
