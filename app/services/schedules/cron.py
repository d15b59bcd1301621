"""When a schedule is due: five fields as cron knows them, read in a time zone (gitlab.md B.7).

On days that the clocks change it does as Debian's cron: a time that is skipped runs right after the gap, one that comes
twice runs once.
"""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from app.domain.errors import InvalidRequest

MAX_LENGTH = 255
_FIELDS = 5
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@noon": "0 12 * * *",
    "@hourly": "0 * * * *",
}
#: What GitLab's validator says, its space at the start included.
_WRONG = " is invalid syntax"


def next_run(cron: str, zone: str, after: datetime) -> datetime:
    """The first moment later than `after` at which `cron` is due in the time zone `zone` ("Europe/Berlin"), in UTC.

    Raises InvalidRequest with field cron or cron_timezone; also for what never comes, such as the 30th of February.
    """
    local = after.astimezone(_zone(zone))
    text = _NAMED.get(cron.strip().lower(), cron)
    if len(text) > MAX_LENGTH or len(text.split()) != _FIELDS:
        raise InvalidRequest(_WRONG, "cron")
    try:
        return next(CronSim(text, local)).astimezone(UTC)
    except (CronSimError, AssertionError, StopIteration, OverflowError):
        raise InvalidRequest(_WRONG, "cron") from None


def _zone(name: str) -> ZoneInfo:
    # Only names of the list: ZoneInfo would open any file below its folder.
    if name not in zone_names():
        raise InvalidRequest(_WRONG, "cron_timezone")
    return ZoneInfo(name)


@cache
def zone_names() -> frozenset[str]:
    """All time zones that a schedule may be in."""
    return frozenset(available_timezones())
