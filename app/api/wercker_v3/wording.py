"""Wercker's words for statuses and results, and its measure of progress (wercker.md C.3, across_systems.md)."""

from collections.abc import Iterable

from app.domain import status
from app.services.runs.pipeline_history import Course

STATUSES = ("notstarted", "started", "finished", "running")
RESULTS = ("aborted", "unknown", "passed", "failed")
#: Our statuses behind each result.
_RESULTS: dict[str, frozenset[str]] = {
    "passed": frozenset({status.SUCCESS}),
    "failed": frozenset({status.FAILED}),
    "aborted": frozenset({status.CANCELED, status.CANCELING, status.SKIPPED}),
}
FINISHED = frozenset[str]().union(*_RESULTS.values())
_UNFINISHED = frozenset(status.AVAILABLE) - FINISHED
#: Our statuses behind each status, and whether a runner was heard of, where that decides.
_STATUSES: dict[str, tuple[frozenset[str], bool | None]] = {
    "notstarted": (_UNFINISHED - {status.RUNNING}, None),
    "started": (frozenset({status.RUNNING}), False),
    "running": (frozenset({status.RUNNING}), True),
    "finished": (FINISHED, None),
}
#: What every job does that no row tells of: getting the code and setting up, then storing.
_BEFORE, _AFTER = 2, 1
PREPARING = 5


def statuses_of(wanted_status: str | None, wanted_result: str | None) -> tuple[frozenset[str] | None, bool | None]:
    """The pipelines' statuses behind a filter (None: all), and whether a runner must have been heard of."""
    statuses, begun = _STATUSES[wanted_status] if wanted_status else (None, None)
    if wanted_result is None:
        return statuses, begun
    behind = _RESULTS.get(wanted_result, _UNFINISHED)
    return (behind if statuses is None else statuses & behind), begun


def result(ours: str) -> str:
    """The result of a run of that status: unknown until it has finished."""
    return next((word for word, behind in _RESULTS.items() if ours in behind), "unknown")


def run_status(ours: str, begun: bool) -> str:
    """The status of a run: started until its runner is heard of, as long as that prepares."""
    return _first((word for word, (behind, needed) in _STATUSES.items() if ours in behind and needed in (None, begun)))


def step_words(ours: str) -> tuple[str, str]:
    """Status and result of a step. One that was skipped has never started."""
    if ours in (status.CREATED, status.SKIPPED):
        return "notstarted", "unknown"
    return ("running" if ours == status.RUNNING else "finished"), result(ours)


def position(course: Course) -> tuple[int, int]:
    """The step that a run has come to, and how many there are. Each job's steps stand between those that all have."""
    total = course.jobs * (_BEFORE + _AFTER) + course.steps
    return course.started * _BEFORE + course.reached + course.passed * _AFTER, total


def progress(ours: str, course: Course) -> int:
    """Percent: the step that a run has come to, of all; frozen where it failed or was aborted."""
    if ours == status.SUCCESS:
        return 100
    if ours not in FINISHED and run_status(ours, course.begun) == "notstarted":
        return 0
    current, total = position(course)
    if course.reached == 0:
        return PREPARING if course.started else 0
    return 100 * current // total


def _first(words: Iterable[str]) -> str:
    return next(iter(words))
