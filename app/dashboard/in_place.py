"""Requests by which a page keeps itself true, made by htmx: of the answer it takes the parts (`hx-swap-oob`) it has.

They are answered with the page itself, so whatever shows something in place shows it without a script too. Templates
ask `in_place()` to leave out what no such request needs.
"""

from urllib.parse import parse_qsl, urlsplit

from flask import Response, request

#: The element that forms aim at (`hx-target`) when the page they come from has parts for all that they change.
PAGE = "main"


def in_place() -> bool:
    """Whether the answer goes into a page that is there already."""
    return request.headers.get("HX-Request") == "true"


def lead_on(response: Response) -> Response:
    """Turn a redirect into what a page that is there already can follow.

    A form that leads back to its own page is followed by the browser, unseen. Where it, or a link that was followed in
    place, leads to another one, the window goes there. A page that only looked again stays as it is: it may have been
    signed out, or its project been renamed.
    """
    response.vary.add("HX-Request")
    target = response.location
    if not (in_place() and target and 300 <= response.status_code < 400):
        return response
    if request.method == "POST" and request.headers.get("HX-Target") == PAGE and _is_current(target):
        return response
    response.status_code = 204
    response.set_data(b"")
    del response.headers["Location"]
    if request.method == "POST" or "HX-Boosted" in request.headers:
        response.headers["HX-Redirect"] = target
    return response


def _is_current(address: str) -> bool:
    """Whether the window shows `address`, whatever part of it was scrolled to."""
    try:
        return _place(address) == _place(request.headers.get("HX-Current-URL", ""))
    except ValueError:  # no browser's: something else wrote the header
        return False


def _place(address: str) -> tuple[str, list[tuple[str, str]]]:
    parts = urlsplit(address)
    return parts.path, sorted(parse_qsl(parts.query))
