"""`If-Unmodified-Since`: somebody removes a thing only as they last saw it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from flask import request

from app.api.gitlab_v4.errors import message


def require_unmodified(updated_at: datetime) -> None:
    """Raises ApiError 412 where the current request wants a thing unmodified since a time before `updated_at`."""
    limit = _unmodified_since()
    if limit and updated_at.replace(microsecond=0) > limit:
        raise message(412, "412 Precondition Failed")


def _unmodified_since() -> datetime | None:
    """The caller's If-Unmodified-Since; one that is no date counts as none (RFC 9110, 13.1.4)."""
    try:
        limit = parsedate_to_datetime(request.headers["If-Unmodified-Since"])
    except (KeyError, ValueError):
        return None
    return limit if limit.tzinfo else limit.replace(tzinfo=UTC)
