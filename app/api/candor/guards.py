"""What is true of every request to this API: which sites may send it, and what browsers may do with the answer."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from app.api.candor.answers import word
from app.http.edge import core

#: A trigger's token is all that it needs: no cookie gives it any right that another site could borrow.
_WITHOUT_SESSION = ("candor.run_by_token",)

_PREFLIGHT_SECONDS = 600


def attach(blueprint: Blueprint) -> None:
    """Guard all views of `blueprint`."""
    blueprint.before_request(refuse_what_cannot_be_kept)
    blueprint.before_request(answer_preflight)
    blueprint.before_request(refuse_other_sites)
    blueprint.after_request(guard)
    blueprint.after_request(let_allowed_sites_read)


def refuse_what_cannot_be_kept() -> Response | None:
    """No database takes NUL in a text."""
    texts = [request.path, *request.args.values()]
    return word(400) if any("\0" in text for text in texts) else None


def answer_preflight() -> Response | None:
    """A browser asks whether a page of another site may send what it wants to."""
    asked = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not asked or not _is_allowed(request.headers.get("Origin")):
        return None
    response = word(204)
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response


def refuse_other_sites() -> Response | None:
    """A write with the session's cookie comes from no other site: a browser says by `Origin` where it stands, and can
    send JSON across sites only after asking (design, "Who may touch what").
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or request.endpoint in _WITHOUT_SESSION:
        return None
    if not _is_ours(request.headers.get("Origin")):
        return word(403)
    return word(400) if request.content_length and not request.is_json else None


def _is_ours(origin: str | None) -> bool:
    if origin is None:
        return True
    ours = {request.host_url.rstrip("/"), _origin(core().config.external_url)}
    return origin.lower() in ours or _is_allowed(origin)


def _is_allowed(origin: str | None) -> bool:
    """Whether pages of `origin` may call this API with its visitors' cookies: the operator has to name it."""
    return origin is not None and origin.lower() in core().config.allowed_origins


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def let_allowed_sites_read(response: Response) -> Response:
    """Allowed sites may read the answers, also those to requests with a cookie; all others may not."""
    if not core().config.allowed_origins:
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is not None and _is_allowed(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def guard(response: Response) -> Response:
    """Logs and files come from jobs: a browser must neither guess their type nor run anything of them in our name."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Content-Security-Policy", "sandbox; default-src 'none'")
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
