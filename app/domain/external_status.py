"""The life of a status that another system reports of a commit (gitlab.md B.10), and GitLab's words for its moves."""

from app.domain import status
from app.domain.errors import InvalidRequest

#: What can be reported.
STATES = (status.PENDING, status.RUNNING, status.SUCCESS, status.FAILED, status.CANCELED, status.SKIPPED)
#: A status in one of these is moved on; one that has ended is left, and a new one begun.
OPEN = frozenset({status.PENDING, status.RUNNING})
_WAITING = frozenset({status.CREATED, status.PENDING})

# The name of the move to each state, and where it may begin.
_MOVES = {
    status.PENDING: ("enqueue", frozenset({status.CREATED})),
    status.RUNNING: ("run", _WAITING),
    status.SUCCESS: ("success", _WAITING | {status.RUNNING}),
    status.FAILED: ("drop", _WAITING | {status.RUNNING}),
    status.CANCELED: ("cancel", _WAITING | {status.RUNNING}),
    status.SKIPPED: ("skip", _WAITING),
}


def check_move(old: str, new: str) -> None:
    """Raises InvalidRequest unless a status may go from `old` (created: it is new) to `new`, one of STATES."""
    event, origins = _MOVES[new]
    if old not in origins:
        raise InvalidRequest(
            f'Cannot transition status via :{event} from :{old} (Reason(s): Status cannot transition via "{event}")'
        )
