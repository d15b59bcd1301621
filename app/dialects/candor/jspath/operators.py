"""The operators of predicates, on JSON values, by the rules of the language that JSPath was written in."""

import math
from typing import Any


class _Undefined:
    """What is not there at all; JSON's null is None."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED = _Undefined()


def truth(value: Any) -> bool:
    """Whether a condition holds: a path does when it found something."""
    if isinstance(value, list):
        return bool(value)
    if isinstance(value, float) and math.isnan(value):
        return False
    return value is not UNDEFINED and (isinstance(value, dict) or bool(value))


def negative(value: Any) -> int | float:
    return -number(value)


def binary(operator: str, left: Any, right: Any) -> Any:
    """`left operator right`. Operators with `^`, `$` or `*` beside `=` compare beginnings, ends and parts of texts;
    with the mark behind, the operands change places.
    """
    if operator in ("===", "!=="):
        return _identical(left, right) == (operator == "===")
    if operator == "==":
        texts = isinstance(left, str) and isinstance(right, str)
        return left.lower() == right.lower() if texts else _equal(left, right)
    if operator == "!=":
        return not _equal(left, right)
    if operator in ("<", ">", "<=", ">="):
        return _ordered(operator, left, right)
    if operator in ("+", "-", "*", "/", "%"):
        return _calculated(operator, left, right)
    if operator[-1] != "=":
        return _texts(operator[-1], operator.count("=") == 2, right, left)
    return _texts(operator[0], operator.count("=") == 2, left, right)


def _texts(mark: str, strict: bool, left: Any, right: Any) -> bool:
    if strict:
        if not isinstance(left, str) or not isinstance(right, str):
            return False
    else:
        if left in (None, UNDEFINED) or right in (None, UNDEFINED):
            return False
        left, right = text(left).lower(), text(right).lower()
    if mark == "^":
        return bool(left.startswith(right))
    return bool(left.endswith(right)) if mark == "$" else right in left


def _identical(left: Any, right: Any) -> bool:
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return type(left) is type(right) and bool(left == right)


def _equal(left: Any, right: Any) -> bool:
    nothing = (left in (None, UNDEFINED), right in (None, UNDEFINED))
    if any(nothing):
        return all(nothing)
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        return left is right
    if isinstance(left, str | list | dict) and isinstance(right, str | list | dict):
        return text(left) == text(right)
    return number(left) == number(right)


def _ordered(operator: str, left: Any, right: Any) -> bool:
    if isinstance(left, str | list | dict) and isinstance(right, str | list | dict):
        one, other = text(left), text(right)
        return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[operator]
    low, high = number(left), number(right)
    return {"<": low < high, ">": low > high, "<=": low <= high, ">=": low >= high}[operator]


def _calculated(operator: str, left: Any, right: Any) -> Any:
    if operator == "+" and (isinstance(left, str | list | dict) or isinstance(right, str | list | dict)):
        return text(left) + text(right)
    one, other = number(left), number(right)
    try:
        if operator == "/":
            return one / other
        if operator == "%":
            return math.fmod(one, other)
        return {"+": one + other, "-": one - other, "*": one * other}[operator]
    except (ZeroDivisionError, ValueError, OverflowError):
        divides = operator == "/" and bool(one)
        return math.copysign(math.inf, one) if divides else math.nan


def number(value: Any) -> int | float:
    """The value as a number, NaN for what is none."""
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, int | float):
        return value
    if value is UNDEFINED or isinstance(value, dict):
        return math.nan
    stripped = text(value).strip()
    if not stripped:
        return 0
    try:
        return math.nan if "_" in stripped or stripped[-1:].isalpha() else float(stripped)
    except ValueError:
        return math.nan


def text(value: Any) -> str:
    """The value as a text, as it would be joined to another."""
    if isinstance(value, str):
        return value
    if value is UNDEFINED:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join("" if item is None else text(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
