"""The body of a POST: JSON, a form, or nothing, whatever the client calls it."""

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import Request

from app.api.layerci_v1.errors import ApiError

#: One string in a process's environment can be 128 KiB long on Linux; the name and some room are taken off.
LONGEST_EXTRA = 120 * 1024
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")
# A string as a whole, or a backslash at the end of a line outside of one: a shell would have removed the latter, had
# the body not stood in single quotes, as it does in LayerCI's documents (seed 001).
_CONTINUED = re.compile(r'("(?:[^"\\]|\\.)*")|\\[ \t]*\r?\n', re.DOTALL)


@dataclass(frozen=True, slots=True)
class RunBody:
    """What a caller says of a run that they start. An empty text: not said; `extra` None: not said."""

    branch: str = ""
    ref: str = ""
    accept_buttons: bool = False
    skip_no_further_than: str = ""
    extra: str | None = None


def read_run(request: Request) -> RunBody:
    """The body of `request`. Names that are not known are passed over. Raises ApiError."""
    given = _fields(request)
    return RunBody(
        branch=_text(given, "branch"),
        ref=_text(given, "ref"),
        accept_buttons=_boolean(given, "accept_buttons"),
        skip_no_further_than=_text(given, "skip_no_further_than"),
        extra=_extra(given.get("extra")),
    )


def _fields(request: Request) -> dict[str, Any]:
    data = request.get_data(cache=True)
    text = data.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if text.startswith("{") or (text and request.is_json):
        return _json(text)
    if not text:
        return {}
    if request.mimetype in _FORMS:
        return request.form.to_dict()
    raise ApiError(400, "The body is neither a JSON object nor a form")


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_CONTINUED.sub(lambda match: match[1] or " ", text))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "The body is not valid JSON") from error
    if not isinstance(found, dict):
        raise ApiError(400, "The body is not a JSON object")
    return found


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not _is_storable(value):
        raise ApiError(400, f"{name} is not a text")
    return value.strip()


def _boolean(given: dict[str, Any], name: str) -> bool:
    value = given.get(name)
    word = str(value).strip().lower() if isinstance(value, str | bool | int) else "" if value is None else "?"
    if word not in _TRUE + _FALSE:
        raise ApiError(400, f"{name} is neither true nor false")
    return word in _TRUE


def _extra(value: Any) -> str | None:
    """`extra` as the text that jobs see: what is no text stays JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not _is_storable(text):
        raise ApiError(400, "extra is not a text")
    if len(text.encode()) > LONGEST_EXTRA:
        raise ApiError(413, f"extra is longer than {LONGEST_EXTRA} bytes")
    return text


def _is_storable(text: str) -> bool:
    """Whether a database and a process take `text`: no NUL, no half characters."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
