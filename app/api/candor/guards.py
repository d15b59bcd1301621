"""What is true of every request to this API."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from app.api.candor.answers import word
from app.edge import core

#: A trigger's token is all that it needs: no cookie gives it any right that another site could borrow.
_WITHOUT_SESSION = ("candor.run_by_token",)


def attach(blueprint: Blueprint) -> None:
    """Guard all views of `blueprint`."""
    blueprint.before_request(refuse_what_cannot_be_kept)
    blueprint.before_request(refuse_other_sites)
    blueprint.after_request(guard)


def refuse_what_cannot_be_kept() -> Response | None:
    """No database takes NUL in a text."""
    texts = [request.path, *request.args.values()]
    return word(400) if any("\0" in text for text in texts) else None


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
    return origin.lower() in ours


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def guard(response: Response) -> Response:
    """Logs and files come from jobs: a browser must neither guess their type nor run anything of them in our name."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Content-Security-Policy", "sandbox; default-src 'none'")
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
