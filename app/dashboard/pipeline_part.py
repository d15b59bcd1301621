"""Which part of a pipeline's page somebody looks at: kept in its address, and by the forms on it."""

from urllib.parse import parse_qsl, urlencode

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

#: `view=list`, `only=STATUS` of the list, and `open=GROUP` once for each group of jobs that is unfolded.
_KEPT = ("view", "only", "open")
_MOST, _LONGEST = 100, 64 * 1024


def part_of_request() -> str:
    """The part of the query string that says so; what the forms of the page send back as `stay`."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name in _KEPT]
    return urlencode(pairs[:_MOST])


def back_to_pipeline(path: str, pipeline_id: int) -> ResponseReturnValue:
    """To the pipeline's page, as it was when the form was sent."""
    kept: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.form.get("stay", "")[:_LONGEST])[:_MOST]:
        if name in _KEPT:
            kept.setdefault(name, []).append(value)
    return redirect(url_for("pages.pipeline", path=path, pipeline_id=pipeline_id, **kept), 303)  # type: ignore[arg-type]
