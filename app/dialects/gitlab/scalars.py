"""Plain YAML scalars as GitLab's parser (Psych, YAML 1.1) reads them, and values as it writes them in a variable."""

import math
import re

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_NULL = frozenset({"", "~", "null"})
_LONGEST_WORD = max(map(len, _TRUE | _FALSE | _NULL))
_STARTS_OF_NUMBERS = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9](?:[0-9]|[,_](?=[0-9]))*)")
_BASED = re.compile(r"([-+]?)0(?:x([0-9a-fA-F_]+)|b([01_]+)|([0-7_]+))")
_SEXAGESIMAL = re.compile(r"([-+]?)([0-9][0-9_]*)((?::[0-5]?[0-9]){1,2})")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_,]*)?\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_,]*[eE][-+]?[0-9]+")
_INFINITY = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})
# Longer digits are text: nothing in a configuration counts so far, and huge integers are slow.
_LONGEST_NUMBER = 64


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain (unquoted) scalar. Dates, which GitLab refuses, stay text."""
    if len(text) <= _LONGEST_WORD:
        lowered = text.lower()
        if lowered in _NULL:
            return None
        if lowered in _TRUE:
            return True
        if lowered in _FALSE:
            return False
    if len(text) > _LONGEST_NUMBER or text[0] not in _STARTS_OF_NUMBERS:
        return text
    return _number(text)


def _number(text: str) -> str | int | float:
    if _DECIMAL.fullmatch(text):
        return int(text.replace(",", "").replace("_", ""))
    if match := _BASED.fullmatch(text):
        return _based(match, text)
    if match := _SEXAGESIMAL.fullmatch(text):
        return _sexagesimal(match)
    if text in _NAN:
        return math.nan
    if match := _INFINITY.fullmatch(text):
        return -math.inf if match[1] == "-" else math.inf
    if _FLOAT.fullmatch(text) and any(character.isdigit() for character in text):
        return float(text.replace(",", "").replace("_", ""))
    return text


def _based(match: re.Match[str], text: str) -> int | str:
    sign, hexadecimal, binary, octal = match.groups()
    digits, base = (hexadecimal, 16) if hexadecimal else (binary, 2) if binary else (octal, 8)
    plain = digits.replace("_", "")
    return (-1 if sign == "-" else 1) * int(plain, base) if plain else text


def _sexagesimal(match: re.Match[str]) -> int:
    sign, first, rest = match.groups()
    total = int(first.replace("_", ""))
    for part in rest[1:].split(":"):
        total = total * 60 + int(part)
    return -total if sign == "-" else total


def as_text(value: str | int | float | bool) -> str:
    """A value as the text of a variable: `true`, `1`, `1.5`, and floats as Ruby writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "-Infinity" if value < 0 else "Infinity"
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    # Ruby has a decimal point and two digits of exponent where Python may have neither.
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent[0]}{exponent[1:].zfill(2)}"
