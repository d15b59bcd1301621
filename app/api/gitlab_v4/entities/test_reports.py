"""Tests of a pipeline (gitlab.md B.4)."""

from collections.abc import Sequence
from typing import Any

from app.domain import junit
from app.models import JunitCase
from app.services.reports.show_tests import Suite


def report(suites: Sequence[Suite]) -> dict[str, Any]:
    """The suites with all their cases."""
    return _figures(suites) | {
        "test_suites": [
            {"name": suite.name}
            | _figures([suite])
            | {"suite_error": suite.problem, "test_cases": [_case(case) for case in suite.cases]}
            for suite in suites
        ]
    }


def summary(suites: Sequence[Suite]) -> dict[str, Any]:
    """The suites in figures."""
    counts = {status: sum(suite.counts[status] for suite in suites) for status in junit.STATUSES}
    total = {"time": sum(suite.seconds for suite in suites), "count": sum(counts.values())}
    return {
        "total": total | counts | {"suite_error": None},
        "test_suites": [
            {"name": suite.name} | _figures([suite]) | {"build_ids": suite.job_ids, "suite_error": suite.problem}
            for suite in suites
        ],
    }


def _figures(suites: Sequence[Suite]) -> dict[str, Any]:
    counts = {f"{status}_count": sum(suite.counts[status] for suite in suites) for status in junit.STATUSES}
    return {
        "total_time": sum(suite.seconds for suite in suites),
        "total_count": sum(suite.total for suite in suites),
    } | counts


def _case(case: JunitCase) -> dict[str, Any]:
    output = case.system_output if case.status == junit.SUCCESS else case.output
    return {
        "status": case.status,
        "name": case.name,
        "classname": case.classname,
        "file": case.file or None,
        "execution_time": case.seconds,
        "system_output": output or None,
        "stack_trace": None,
        "recent_failures": None,
        "attachment_url": None,
    }
