"""The statuses of jobs, stages and pipelines, the moves between them, and how many become one (gitlab.md B.1, C.3).

The life of a job:

    created ──► waiting_for_resource ──► preparing ──► pending ──► running ──► success | failed
       │  └──► manual | scheduled ─────────────────────┘ ▲            │
       └──► skipped ──► created (again, when what it waits for is played or retried)
    running ──► canceling ──► canceled; all that has not ended ──► canceled | failed

A running job whose runner was never heard of goes back to pending.
"""

from collections.abc import Iterable

CREATED = "created"
WAITING_FOR_RESOURCE = "waiting_for_resource"
PREPARING = "preparing"
WAITING_FOR_CALLBACK = "waiting_for_callback"
PENDING = "pending"
RUNNING = "running"
SUCCESS = "success"
FAILED = "failed"
CANCELING = "canceling"
CANCELED = "canceled"
SKIPPED = "skipped"
MANUAL = "manual"
SCHEDULED = "scheduled"

AVAILABLE = (
    CREATED,
    WAITING_FOR_RESOURCE,
    PREPARING,
    WAITING_FOR_CALLBACK,
    PENDING,
    RUNNING,
    SUCCESS,
    FAILED,
    CANCELING,
    CANCELED,
    SKIPPED,
    MANUAL,
    SCHEDULED,
)
STARTED = frozenset({RUNNING, SUCCESS, FAILED})
ACTIVE = frozenset({WAITING_FOR_RESOURCE, PREPARING, WAITING_FOR_CALLBACK, PENDING, RUNNING})
COMPLETED = frozenset({SUCCESS, FAILED, CANCELED, SKIPPED})
BLOCKED = frozenset({MANUAL, SCHEDULED})
STOPPED = COMPLETED | BLOCKED
EXECUTING = frozenset({RUNNING, CANCELING})
ALIVE = frozenset(AVAILABLE) - COMPLETED - BLOCKED
CANCELABLE = frozenset(AVAILABLE) - COMPLETED - {CANCELING}
RETRYABLE = frozenset({SUCCESS, FAILED, CANCELED, CANCELING})
PASSED_WITH_WARNINGS = frozenset({FAILED, CANCELED})
"""With `allow_failure`, these count as a success with warnings."""
IGNORED = frozenset({MANUAL})
"""With `allow_failure`, these hold nobody up."""

_ENDED_EARLY = frozenset({CANCELED, FAILED})
_QUEUED = frozenset({WAITING_FOR_RESOURCE, PREPARING, PENDING})

MOVES: dict[str, frozenset[str]] = {
    CREATED: _QUEUED | BLOCKED | {SKIPPED} | _ENDED_EARLY,
    WAITING_FOR_RESOURCE: frozenset({PREPARING, PENDING}) | _ENDED_EARLY,
    PREPARING: frozenset({PENDING}) | _ENDED_EARLY,
    PENDING: frozenset({RUNNING, WAITING_FOR_CALLBACK}) | _ENDED_EARLY,
    WAITING_FOR_CALLBACK: frozenset({RUNNING, SUCCESS}) | _ENDED_EARLY,
    RUNNING: frozenset({SUCCESS, CANCELING, PENDING}) | _ENDED_EARLY,
    CANCELING: _ENDED_EARLY,
    MANUAL: _QUEUED | _ENDED_EARLY,
    SCHEDULED: _QUEUED | {MANUAL} | _ENDED_EARLY,
    SKIPPED: _QUEUED | {CREATED},
    SUCCESS: frozenset(),
    FAILED: frozenset(),
    CANCELED: frozenset(),
}
"""Where a job may go from each status. A job that has ended stays: retrying it makes a new row."""

# What a job's status counts as beside its own name, in the composite.
_WARN = "warn"
_IGNORED = "ignored"


def may_move(old: str, new: str) -> bool:
    """Whether a job may go from `old` to `new`. Staying is no move. Raises KeyError on a status that does not exist."""
    return new in MOVES[old]


def seen_as(status: str, allow_failure: bool) -> str:
    """What a job adds to a composite: its status, "warn" (failed but allowed to) or "ignored" (manual and optional)."""
    if allow_failure and status in PASSED_WITH_WARNINGS:
        return _WARN
    if allow_failure and status in IGNORED:
        return _IGNORED
    return status


# A composite is the first of these whose set holds all that is seen.
_ONLY: tuple[tuple[str, frozenset[str]], ...] = (
    (SKIPPED, frozenset({SKIPPED, _IGNORED})),
    (SUCCESS, frozenset({SUCCESS, SKIPPED, _WARN, _IGNORED})),
    (CREATED, frozenset({CREATED, _WARN, _IGNORED})),
    (PREPARING, frozenset({PREPARING, _WARN, _IGNORED})),
    (CANCELED, frozenset({CANCELED, SUCCESS, SKIPPED, _WARN, _IGNORED})),
    (PENDING, frozenset({PENDING, CREATED, SKIPPED, _WARN, _IGNORED})),
)
# Failing that, the first of these of which any is seen.
_ANY: tuple[tuple[str, str], ...] = (
    (RUNNING, RUNNING),
    (PENDING, RUNNING),
    (WAITING_FOR_RESOURCE, WAITING_FOR_RESOURCE),
    (WAITING_FOR_CALLBACK, WAITING_FOR_CALLBACK),
    (MANUAL, MANUAL),
    (SCHEDULED, SCHEDULED),
    (PREPARING, PREPARING),
    (CREATED, RUNNING),
    (CANCELING, CANCELING),
)


def composite_of_seen(seen: frozenset[str] | set[str], dag: bool = False) -> str | None:
    """The composite of a set of `seen_as` values, for callers who keep such a set up to date; see `composite`."""
    if not seen:
        return None
    if dag and (SKIPPED in seen or _IGNORED in seen):
        return SKIPPED
    for status, members in _ONLY:
        if seen <= members:
            return status
    for present, status in _ANY:
        if present in seen:
            return status
    return FAILED


def composite(jobs: Iterable[tuple[str, bool]], dag: bool = False) -> str | None:
    """One status for many jobs, each given as (status, allow_failure): gitlab.md C.3. None for no jobs.

    `dag` is for the jobs that another one `needs`: there, one skipped job makes the whole skipped.
    """
    return composite_of_seen({seen_as(status, allow_failure) for status, allow_failure in jobs}, dag)


def stage_status(current: str, jobs: Iterable[tuple[str, bool]]) -> str:
    """The next status of a stage that has `current`. It never goes back to created: it keeps what it has instead."""
    new = composite(jobs)
    return current if new in (None, CREATED) else str(new)


def pipeline_status(current: str, jobs: Iterable[tuple[str, bool]]) -> str:
    """The next status of a pipeline that has `current`, from all of its jobs.

    Once it has run, a pipeline that waits for a runner again is shown as running, not as pending.
    """
    new = stage_status(current, jobs)
    if new == PENDING and current in (SUCCESS, FAILED, CANCELED, CANCELING, RUNNING):
        return RUNNING
    return new
