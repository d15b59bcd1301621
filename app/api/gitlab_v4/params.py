"""What an endpoint takes: declared as a list of `Param`, read from query, form and JSON alike (gitlab.md B.0).

    params=(Param("ref", required=True), Param("scope", Kind.LIST, values=AVAILABLE))

`read` gives a dict of the declared names: converted, with defaults filled in, names that the caller left out missing.
Everything that is wrong is said in one answer, in Grape's words, which clients know.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest

from app.api.gitlab_v4.errors import BadParams
from app.api.gitlab_v4.nesting import TooDeep, nest
from app.http.ordered_request import in_order

MAX_INTEGER = 2**63 - 1


class Kind(StrEnum):
    """What a parameter's value is. A LIST is also taken as one text, or as `a,b`; OBJECT and OBJECTS have `fields`.

    VALUE is what JSON says it is, and VALUES are such by name; forms and queries can only say texts and lists of them.
    Of an ANY_OBJECT the endpoint itself says what may be in it.
    """

    TEXT = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "date-time"
    LIST = "array of strings"
    OBJECT = "object"
    OBJECTS = "array of objects"
    VALUE = "string, number, boolean or array"
    VALUES = "object of values"
    ANY_OBJECT = "object of any values"


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter. `values` are the only ones allowed; `blank` False refuses an empty text; a value of None (JSON's
    null) counts as left out."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    values: tuple[str, ...] = ()
    default: Any = None
    blank: bool = True
    fields: tuple["Param", ...] = ()
    help: str = ""


def collect(request: Request) -> dict[str, Any]:
    """All parameters of `request`, still as sent. Raises BadParams for a body that cannot be read."""
    if None in request.form:  # a part of a multipart body, which forms cannot say
        raise BadParams("a field of the form has no name")
    try:
        given = nest(in_order(request.args))
        given |= nest(in_order(request.form))
    except TooDeep as error:
        raise BadParams(f"{error} is invalid") from error
    return given | _json_body(request)


def _json_body(request: Request) -> dict[str, Any]:
    if not request.is_json or not request.get_data(cache=True):
        return {}
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise BadParams("the body is not valid JSON") from error
    if not isinstance(body, dict):
        raise BadParams("the body is not a JSON object")
    return body


def read(declared: Iterable[Param], given: Mapping[str, Any]) -> dict[str, Any]:
    """The `declared` parameters out of `given`. Raises BadParams, which names all that is wrong."""
    problems: list[str] = []
    values = _read(declared, given, "{}", problems)
    if problems:
        raise BadParams(", ".join(problems))
    return values


def _read(declared: Iterable[Param], given: Mapping[str, Any], label: str, problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for param in declared:
        name = label.format(param.name)
        raw = given.get(param.name)
        if raw is None or (raw == "" and param.kind not in (Kind.TEXT, Kind.LIST)):
            if param.required:
                problems.append(f"{name} is missing")
            elif param.default is not None:
                values[param.name] = param.default
            continue
        try:
            value = _convert(param, raw, name, problems)
        except ValueError:
            problems.append(f"{name} is invalid")
            continue
        problems.extend(_objections(param, name, value))
        values[param.name] = value
    return values


def _objections(param: Param, name: str, value: Any) -> Iterable[str]:
    if value == "" and not param.blank:
        yield f"{name} is empty"
    chosen = value if isinstance(value, list) else [value]
    if param.values and any(item not in param.values for item in chosen):
        yield f"{name} does not have a valid value"


def _convert(param: Param, raw: Any, name: str, problems: list[str]) -> Any:
    if param.kind is Kind.OBJECT:
        return _object(param, raw, name, problems)
    if param.kind is Kind.OBJECTS:
        items = _listed(raw)
        return [_object(param, item, f"{name}[{index}]", problems) for index, item in enumerate(items)]
    return _SIMPLE[param.kind](raw)


def _object(param: Param, raw: Any, name: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError(name)
    if not param.fields:
        return {_text(key): _text(value) for key, value in raw.items()}
    return _read(param.fields, raw, name.replace("{", "{{").replace("}", "}}") + "[{}]", problems)


def _listed(raw: Any) -> list[Any]:
    """A list as JSON has it, or with its indexes written out: `scope[0]=a`."""
    if isinstance(raw, dict) and raw and all(key.isascii() and key.isdigit() for key in raw):
        return [raw[key] for key in sorted(raw, key=int)]
    if not isinstance(raw, list):
        raise ValueError("not a list")
    return raw


def _text(raw: Any) -> str:
    """Numbers and booleans of JSON count as their text. What no database keeps (NUL, half a character) is refused."""
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    if not isinstance(raw, str | int | float):
        raise ValueError("not a text")
    text = str(raw)
    if "\0" in text:
        raise ValueError("holds a NUL")
    text.encode()
    return text


def _integer(raw: Any) -> int:
    if isinstance(raw, bool | float | list | dict):
        raise ValueError("not a whole number")
    text = str(raw).strip()
    if len(text) > 20 or not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit():
        raise ValueError("not a whole number")
    value = int(text)
    if abs(value) > MAX_INTEGER:
        raise ValueError("too large")
    return value


def _boolean(raw: Any) -> bool:
    text = str(raw).lower()
    if text in ("true", "t", "1", "yes", "y", "on"):
        return True
    if text in ("false", "f", "0", "no", "n", "off"):
        return False
    raise ValueError("neither true nor false")


def _time(raw: Any) -> datetime:
    """An ISO 8601 time or date. Without a zone it is UTC."""
    value = datetime.fromisoformat(_text(raw))
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error


def _list(raw: Any) -> list[str]:
    items = raw.split(",") if isinstance(raw, str) else _listed(raw)
    return [text for item in items if (text := _text(item).strip())]


def _value(raw: Any) -> Any:
    """A text, number or boolean, or a list of those, as JSON has it."""
    if isinstance(raw, list):
        if any(isinstance(item, list | dict) for item in raw):
            raise ValueError("too deep")
        return [_value(item) for item in raw]
    if isinstance(raw, bool | int):
        return raw
    if isinstance(raw, float):
        if raw != raw or raw in (float("inf"), float("-inf")):
            raise ValueError("not a number")
        return raw
    return _text(raw)


def _any_object(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError("not an object")
    return raw


def _values(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError("not an object")
    return {_text(name): _value(item) for name, item in raw.items()}


_SIMPLE: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.TIME: _time,
    Kind.LIST: _list,
    Kind.VALUE: _value,
    Kind.VALUES: _values,
    Kind.ANY_OBJECT: _any_object,
}
