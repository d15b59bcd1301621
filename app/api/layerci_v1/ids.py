"""The uuid of a run: version 8 (RFC 9562), from which the run's id can be read again.

48 bits of creation time in milliseconds, as in version 7; the id in the last 62 bits.
"""

from datetime import datetime
from uuid import UUID

from app.domain.errors import NotFound

_VERSION, _VARIANT = 8 << 76, 2 << 62
_ID = (1 << 62) - 1


def uuid_of(run_id: int, created_at: datetime) -> UUID:
    """The uuid of the run that has this key and was made then."""
    return UUID(int=_milliseconds(created_at) << 80 | _VERSION | _VARIANT | run_id)


def run_id_of(uuid: UUID) -> int:
    """The key in a uuid that `uuid_of` made; whoever looks it up compares the whole. Raises NotFound for any other."""
    run_id = uuid.int & _ID
    if uuid.int & ~_ID & (1 << 80) - 1 != _VERSION | _VARIANT or run_id == 0:
        raise NotFound("Run")
    return run_id


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp()) * 1000 + time.microsecond // 1000
