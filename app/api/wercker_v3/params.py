"""What an endpoint takes, checked as Joi does (wercker.md C.1): queries for reading, JSON bodies for writing.

`read` gives a dict of the declared names: converted, with defaults filled in, names that the caller left out missing.
Everything that is wrong is said at once. Names that are not declared are ignored.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import Request

from app.api.wercker_v3.errors import ApiError, detail, invalid
from app.domain.object_ids import PATTERN

MAX_INTEGER = 2**53 - 1
_FORM = "application/x-www-form-urlencoded"
_TRUE_AND_FALSE = {"true": True, "false": False}


class Kind(StrEnum):
    """What a parameter's value is: ID is one of 24 hex digits, OBJECTS have `fields`."""

    TEXT = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ID = "id"
    TEXTS = "array of strings"
    OBJECTS = "array of objects"


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter. `values` are the only ones allowed, `low` and `high` bound a number, or how many there are of a
    list. `needs` names another one that has to be given too. `blank`: an empty text will do.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    values: tuple[str, ...] = ()
    low: int = 0
    high: int = MAX_INTEGER
    default: Any = None
    needs: str | None = None
    blank: bool = False
    fields: tuple["Param", ...] = ()


class Problem(Exception):
    """A value is not what it has to be; said as Joi's detail."""

    def __init__(self, rule: str, problem: str, **context: Any) -> None:
        super().__init__(problem)
        self.rule, self.problem, self.context = rule, problem, context


def collect(request: Request) -> dict[str, Any]:
    """The parameters of `request` as sent: of its query, or of the body where it writes."""
    if request.method in ("GET", "HEAD", "DELETE"):
        return dict(request.args)
    data = request.get_data(cache=True)
    if not data.strip():
        return dict(request.form)
    if request.mimetype == _FORM and not data.lstrip().startswith((b"{", b"[")):
        return dict(request.form)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "Invalid request payload JSON format") from error
    if not isinstance(body, dict):
        raise invalid([detail("value", "object.base", "must be an object")])
    return body


def read(declared: Iterable[Param], given: Mapping[str, Any]) -> dict[str, Any]:
    """The `declared` parameters out of `given`. Raises ApiError, which names all that is wrong."""
    details: list[dict[str, Any]] = []
    values = _read(declared, given, "", details)
    if details:
        raise invalid(details)
    return values


def _read(
    declared: Iterable[Param], given: Mapping[str, Any], prefix: str, details: list[dict[str, Any]]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for param in declared:
        path = prefix + param.name
        raw = given.get(param.name)
        if raw is None:
            if param.required:
                details.append(detail(path, "any.required", "is required"))
            elif param.default is not None:
                values[param.name] = param.default
            continue
        try:
            values[param.name] = _convert(param, raw, path, details)
        except Problem as problem:
            details.append(detail(path, problem.rule, problem.problem, **problem.context))
        if param.needs and given.get(param.needs) is None:
            context = {"main": param.name, "peer": param.needs}
            details.append(detail(path, "object.with", f"is given without {param.needs}", **context))
    return values


def _convert(param: Param, raw: Any, path: str, details: list[dict[str, Any]]) -> Any:
    if param.kind is Kind.OBJECTS:
        return _objects(param, raw, path, details)
    value = _SIMPLE[param.kind](raw)
    if param.values and value not in param.values:
        listed = ", ".join(param.values)
        raise Problem("any.allowOnly", f"must be one of {listed}", valids=listed)
    if value == "" and not param.blank:
        raise Problem("any.empty", "is not allowed to be empty")
    if param.kind is Kind.INTEGER:
        _bound(param, value, "number", "")
    if param.kind is Kind.TEXTS:
        _bound(param, len(value), "array", " items")
    return value


def _bound(param: Param, number: int, of: str, unit: str) -> None:
    if number < param.low:
        raise Problem(f"{of}.min", f"must be larger than or equal to {param.low}{unit}", limit=param.low)
    if number > param.high:
        raise Problem(f"{of}.max", f"must be less than or equal to {param.high}{unit}", limit=param.high)


def _objects(param: Param, raw: Any, path: str, details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not isinstance(raw, list):
        raise Problem("array.base", "must be an array")
    values = []
    for index, item in enumerate(raw):
        if isinstance(item, dict):
            values.append(_read(param.fields, item, f"{path}.{index}.", details))
        else:
            details.append(detail(f"{path}.{index}", "object.base", "must be an object"))
    return values


def _text(raw: Any) -> str:
    """A text that every database keeps: no NUL, no half of a character."""
    if not isinstance(raw, str):
        raise Problem("string.base", "must be a string")
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        raise Problem("string.base", "must be a string of whole characters") from error
    if "\0" in raw:
        raise Problem("string.base", "must be a string without NUL")
    return raw


def _integer(raw: Any) -> int:
    text = str(raw).strip()
    digits = text.removeprefix("-")
    if isinstance(raw, bool | list | dict) or not digits.isascii() or not digits.replace(".", "", 1).isdigit():
        raise Problem("number.base", "must be a number")
    if not digits.isdigit() or len(digits) > 18:
        raise Problem("number.integer", "must be an integer")
    return int(text)


def _boolean(raw: Any) -> bool:
    value = raw if isinstance(raw, bool) else _TRUE_AND_FALSE.get(str(raw).lower())
    if value is None:
        raise Problem("boolean.base", "must be a boolean")
    return value


def _id(raw: Any) -> str:
    text = _text(raw)
    if not PATTERN.fullmatch(text):
        pattern = f"/^{PATTERN.pattern}$/"
        raise Problem("string.regex.base", f"fails to match the required pattern: {pattern}", pattern=pattern)
    return text.lower()


def _texts(raw: Any) -> list[str]:
    if not isinstance(raw, list):
        raise Problem("array.base", "must be an array")
    return [_text(item) for item in raw]


_SIMPLE: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.ID: _id,
    Kind.TEXTS: _texts,
}
