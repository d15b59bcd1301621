"""What a runner sends, read with care: from a JSON body, a form or the query, as GitLab merges them."""

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from app.api.gitlab_v4.runner.body import reading
from app.domain.errors import InvalidRequest, NotAllowed
from app.http.caller_of_request import note_caller
from app.http.edge import core
from app.models import Runner
from app.services.accounts.authenticate import runner_by_token
from app.services.runners.known_runner import Recognised, recognise
from app.services.runners.runner_contact import filed_as


def parameters() -> dict[str, Any]:
    """All parameters. Raises BadRequest where the body is no JSON object."""
    with reading():
        found = _fields(request.args) | _fields(request.form)
    if request.mimetype == "application/json" or (not found and request.content_length):
        with reading():  # also a body that is nested too deeply to be read
            body = request.get_json(force=True)
        if not isinstance(body, dict):
            raise BadRequest("the body is no JSON object")
        found |= body
    return found


def _fields(given: MultiDict[str, str]) -> dict[str, Any]:
    """Each field of a form; one that came several times, or as `name[]`, is a list."""
    return {
        name.removesuffix("[]"): values if name.endswith("[]") or len(values) > 1 else values[0]
        for name, values in given.lists()
    }


def text(value: Any, longest: int = 255) -> str:
    """`value` as a text that every database takes; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:longest]


def table(value: Any) -> dict[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def runner_info(given: dict[str, Any]) -> dict[str, Any]:
    """What the runner says about itself (gitlab.md A.2), cleaned."""
    info = table(given.get("info"))
    cleaned: dict[str, Any] = {key: text(value) for key, value in info.items() if isinstance(value, str)}
    features = table(info.get("features"))
    if features:
        cleaned["features"] = {text(key, 64): value for key, value in features.items() if isinstance(value, bool)}
    return cleaned


def integer(value: Any, low: int, high: int) -> int | None:
    """`value` where it is a whole number from `low` to `high`, also written as text; else None."""
    if isinstance(value, str) and value.lstrip("-").isascii() and value.lstrip("-").isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None


def boolean(value: Any, default: bool) -> bool:
    if isinstance(value, bool):
        return value
    return str(value).lower() in ("true", "1", "yes", "on") if value is not None else default


def token(given: dict[str, Any], header: str) -> str:
    """The caller's token: from its header, else from the parameter `token`. Raises InvalidRequest."""
    found = request.headers.get(header) or given.get("token")
    if not isinstance(found, str) or not found:
        raise InvalidRequest("token is missing")
    return found


def authenticated_runner(given: dict[str, Any]) -> Runner:
    """The runner whose token came with the request. Raises NotAllowed, InvalidRequest."""
    runner = runner_by_token(core(), token(given, "Runner-Token"))
    if runner is None:
        raise NotAllowed
    note_caller(None, f"runner {runner.id}")
    return runner


def recognised_runner(given: dict[str, Any]) -> Recognised:
    """The same with the manager that the request names, by one statement, for those that ask often."""
    found = recognise(core(), token(given, "Runner-Token"), filed_as(text(given.get("system_id"))))
    if found is None:
        raise NotAllowed
    note_caller(None, f"runner {found.runner_id}")
    return found
