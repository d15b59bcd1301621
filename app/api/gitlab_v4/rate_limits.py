"""How often one caller may ask (gitlab.md B.0): so many requests a minute by user, by job, or by address.

Whoever is not let in counts by the address, so tokens cannot be guessed faster than anyone may ask. The counts are
shared by all processes (`app.storage.counters`). Where they cannot be kept, nobody is turned away for it.
"""

import ipaddress
import time
from email.utils import formatdate

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request

from app.api.gitlab_v4.callers import Caller
from app.api.gitlab_v4.errors import ApiError
from app.http.edge import core
from app.storage.counters import SharedCounters

log = structlog.get_logger(__name__)
WINDOW = 60
_EXTENSION = "rate_limits"
_TOO_MANY = {"error": "This endpoint has been requested too many times. Try again later."}


def install(app: Flask, blueprint: Blueprint) -> None:
    """Keep the counts of `app`, and let the answers of `blueprint` tell the caller how many requests are left."""
    config = app.extensions["skerry"].config
    app.extensions[_EXTENSION] = SharedCounters(config.data_dir / "rate-limits")
    blueprint.after_request(_tell)


def count(caller: Caller | None) -> None:
    """Count the current request of `caller`, None for one who is not let in. Raises ApiError 429 for one too many."""
    kind, name, limit = _of(caller)
    if not limit:
        return
    now = time.time()
    window = int(now // WINDOW)
    try:
        observed = _counters().count(name, window)
    except OSError as error:
        log.warning("requests cannot be counted", error=str(error))
        return
    reset = (window + 1) * WINDOW
    g.rate_limit = {
        "RateLimit-Limit": str(limit),
        "RateLimit-Name": f"throttle_{kind}_api",
        "RateLimit-Observed": str(observed),
        "RateLimit-Remaining": str(max(0, limit - observed)),
        "RateLimit-Reset": str(reset),
        "RateLimit-ResetTime": formatdate(reset, usegmt=True),
    }
    if observed > limit:
        raise ApiError(429, {"message": _TOO_MANY}, {"Retry-After": str(max(1, round(reset - now)))})


def _of(caller: Caller | None) -> tuple[str, str, int]:
    """What kind of limit counts, whose it is, and how many requests it has."""
    config = core().config
    if caller is not None and caller.job is not None:
        return "authenticated", f"job {caller.job.id}", config.rate_limit_user
    if caller is not None and caller.user is not None:
        return "authenticated", f"user {(caller.administrator or caller.user).id}", config.rate_limit_user
    return "unauthenticated", f"address {_network(request.remote_addr)}", config.rate_limit_address


def _network(address: str | None) -> str:
    """The address; of IPv6 the network, since whoever has one address of it has them all."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:  # a unix socket has none
        return ""
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _counters() -> SharedCounters:
    counters: SharedCounters = current_app.extensions[_EXTENSION]
    return counters


def _tell(response: Response) -> Response:
    response.headers.update(g.get("rate_limit", {}))
    return response
