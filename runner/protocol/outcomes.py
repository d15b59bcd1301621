"""Status codes become words here; nothing behind the client looks at a number."""

from dataclasses import dataclass
from enum import Enum

MAX_UPDATE_INTERVAL = 900.0


class Outcome(Enum):
    """How a call about a job ended.

    OK: done. RETRY: not now, try again later. RANGE_MISMATCH: the server has another length of the log. RESEND: the
    server's log is wrong, send it from the start. PENDING: the final state is taken, the log is still being stored, ask
    again. NOT_FOUND: unknown, which for the log is no reason to stop. ABORT: the job is not ours any more. REFUSED:
    never try that again.
    """

    OK = "ok"
    RETRY = "retry"
    RANGE_MISMATCH = "range mismatch"
    RESEND = "resend"
    PENDING = "pending"
    NOT_FOUND = "not found"
    ABORT = "abort"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What an update or a piece of log was answered.

    `canceling`: end gracefully (after_script still runs). `interval`: seconds that the server wants between updates,
    None where it does not say. `size`: the length of the log that the server has. `detail` is for the runner's own log.
    """

    outcome: Outcome
    canceling: bool = False
    interval: float | None = None
    size: int | None = None
    detail: str = ""


class PollState(Enum):
    """JOB: there is one. NONE: healthy, none for us. UNHEALTHY: the token was refused. ERROR: the server is away or
    unwell.
    """

    JOB = "job"
    NONE = "none"
    UNHEALTHY = "unhealthy"
    ERROR = "error"


class VerifyState(Enum):
    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


def patch_outcome(status: int) -> Outcome:
    """PATCH trace (gitlab.md A.5)."""
    table = {200: Outcome.OK, 202: Outcome.OK, 416: Outcome.RANGE_MISMATCH, 412: Outcome.RESEND, 403: Outcome.ABORT}
    return Outcome.NOT_FOUND if status == 404 else table.get(status, _unnamed(status))


def update_outcome(status: int) -> Outcome:
    """PUT job (gitlab.md A.4)."""
    table = {200: Outcome.OK, 202: Outcome.PENDING, 412: Outcome.RESEND, 403: Outcome.ABORT, 404: Outcome.ABORT}
    return table.get(status, _unnamed(status))


def _unnamed(status: int) -> Outcome:
    """A refusal will be one tomorrow; what the server could not do now it may do then."""
    return Outcome.REFUSED if 400 <= status < 500 and status not in (408, 425, 429) else Outcome.RETRY


def upload_outcome(status: int) -> Outcome:
    """POST artifacts (gitlab.md A.6)."""
    if status in (200, 201):
        return Outcome.OK
    return Outcome.REFUSED if status in (403, 413) else Outcome.RETRY


def download_outcome(status: int) -> Outcome:
    """GET artifacts (gitlab.md A.6)."""
    if status == 200:
        return Outcome.OK
    return Outcome.REFUSED if status in (401, 403, 404) else Outcome.RETRY


def clamp_interval(header: str | None) -> float | None:
    """`X-GitLab-Trace-Update-Interval` in seconds, at most a quarter of an hour; None where it is absent or
    nonsense.
    """
    try:
        value = float(header or "")
    except ValueError:
        return None
    return min(value, MAX_UPDATE_INTERVAL) if value > 0 else None


def range_size(header: str | None) -> int | None:
    """The size in a `Range: 0-SIZE` answer (one past the last byte)."""
    _, dash, end = (header or "").partition("-")
    return int(end) if dash and end.isascii() and end.isdigit() else None
