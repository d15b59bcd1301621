"""The functions of a `$[[ inputs.x | function ]]` block (gitlab.md C.1)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.dialects.gitlab.report import quoted
from app.domain.errors import LimitExceeded
from app.domain.variables import expand_existing, references

_TRUNCATE = re.compile(r"truncate\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\)")
_SPLIT = re.compile(r"split\('([^']*)'\)")
_UNSAFE = re.compile(r"[^A-Za-z0-9_\-.,:+/@\n]")


class Invalid(ValueError):
    """A function that cannot be applied; the message says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What functions may use: variables for `expand_vars`, and the keys of those that are masked, which it refuses."""

    variables: Mapping[str, str]
    masked: frozenset[str] = frozenset()


def apply(call: str, value: object, setting: Setting) -> object:
    """The result of the function that `call` names, with its arguments, on `value`. Raises Invalid."""
    function = _find(call, setting)
    if function is None:
        raise Invalid(
            f"no function matching `{quoted(call)}`: check that the function name, arguments, and types are correct"
        )
    name = call.partition("(")[0]
    if not isinstance(value, str):
        raise Invalid(f"error in `{name}` function: invalid input type: {name} can only be used with string inputs")
    return function(value)


def _find(call: str, setting: Setting) -> Callable[[str], object] | None:
    if call == "expand_vars":
        return lambda text: _expand(text, setting)
    if call == "posix_escape":
        return _posix_escape
    if match := _TRUNCATE.fullmatch(call):
        start, length = int(match[1]), int(match[2])
        return lambda text: text[start : start + length]
    if match := _SPLIT.fullmatch(call):
        separator = match[1]
        return lambda text: _split(text, separator)
    return None


def _expand(text: str, setting: Setting) -> str:
    if any(key in setting.masked for key in references(text)):
        raise Invalid("error in `expand_vars` function: variable expansion error: masked variables cannot be expanded")
    try:
        return expand_existing(text, setting.variables)
    except LimitExceeded as beyond:
        raise Invalid(f"error in `expand_vars` function: variable expansion error: {beyond}") from None


def _split(text: str, separator: str) -> list[str]:
    if not separator:
        raise Invalid("error in `split` function: invalid argument: separator cannot be empty")
    return [part.strip() for part in text.split(separator) if part.strip()]


def _posix_escape(text: str) -> str:
    """`text` as one word of a POSIX shell."""
    return _UNSAFE.sub(lambda match: "\\" + match[0], text).replace("\n", "'\n'") if text else "''"
