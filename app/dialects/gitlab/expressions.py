"""The expressions of `rules:if`: text to tokens, tokens to a tree, the tree to a value (gitlab.md C.4).

Values are None, booleans, texts and patterns. `==` and `!=` compare, `=~` and `!~` match, `&&` and `||` give back one
of their operands as Ruby does: only None and false stop them, an empty text does not.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from app.dialects.gitlab import patterns

MOST_TOKENS = 100
INPUTS = "inputs"
"""`$[[ inputs.x ]]` means the variable of the key `inputs.x`, a name that no variable has."""

Value = str | bool | None | patterns.Search
Variables = Mapping[str, str] | Mapping[str, Value]
Evaluate = Callable[[Variables], Value]


class InvalidExpression(ValueError):
    """The text is no expression; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    evaluate: Evaluate

    def is_true(self, variables: Variables) -> bool:
        """Whether the value is there: not None, not false, not blank."""
        return not _is_blank(self.evaluate(variables))


class _Token(NamedTuple):
    kind: str
    text: str


# In the order in which they are tried.
_LEXEMES = re.compile(
    r"(?P<parenthesis>[()])"
    r"|(?P<input>\$\[\[\s*inputs\.[\w-]+\s*\]\])"
    r"|(?P<variable>\$\w+)"
    r"|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<pattern>/(?:[^/]|\\/)+[^\\]/[ismU]*)"
    r"|(?P<null>null)"
    r"|(?P<boolean>\b(?:true|false)\b)"
    r"|(?P<operator>==|=~|!=|!~|&&|\|\||!)",
    re.ASCII,
)
_SPACE = re.compile(r"\s*", re.ASCII)
_HINTS = (
    (re.compile(r"\w"), "texts stand in quotes"),
    (re.compile(r"\$\{|%"), "a variable is written `$NAME`"),
    (re.compile(r"/"), "a pattern stands between slashes and has two characters at least"),
    (re.compile(r"="), "`==` compares, `=~` matches a pattern"),
    (re.compile(r"[&|]"), "`&&` and `||` connect"),
    (re.compile(r"[\"']"), "the quote is not closed"),
)
# Who binds how tightly; the lower the number the tighter.
_BINARY = {"==": 10, "!=": 10, "=~": 10, "!~": 10, "&&": 11, "||": 12}
_LOOSEST = 12


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The expression in `text`. Raises InvalidExpression."""
    tokens = _tokens(text)
    parser = _Parser(tokens)
    evaluate = parser.expression(_LOOSEST)
    if not parser.at_end():
        raise InvalidExpression("an operator is missing")
    return Expression(text, evaluate)


def as_value(given: object) -> Value:
    """A value of an input as one of an expression: numbers and lists are texts here."""
    return given if given is None or isinstance(given, str | bool) else str(given)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = _skip(text, 0)
    while at < len(text):
        match = _LEXEMES.match(text, at)
        if not match or not match.lastgroup:
            raise InvalidExpression(f"Unknown lexeme found! {_hint(text[at:])}")
        found.append(_Token(match.lastgroup, match[0]))
        if len(found) > MOST_TOKENS:
            raise InvalidExpression("Too many tokens!")
        at = _skip(text, match.end())
    return found


def _hint(rest: str) -> str:
    """What would be right instead of what `rest` begins with."""
    shown = f"`{' '.join(rest[:20].split())}{'…' if len(rest) > 20 else ''}`"
    return next((f"At {shown}: {hint}" for wrong, hint in _HINTS if wrong.match(rest)), f"At {shown}")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _Parser:
    """Precedence climbing over at most 100 tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def expression(self, loosest: int) -> Evaluate:
        left = self._operand()
        while not self.at_end():
            operator = self._tokens[self._at].text
            binding = _BINARY.get(operator) if self._tokens[self._at].kind == "operator" else None
            if binding is None or binding > loosest:
                return left
            self._at += 1
            left = _binary(operator, left, self.expression(binding - 1))
        return left

    def _operand(self) -> Evaluate:
        if self.at_end():
            raise InvalidExpression("a value is missing")
        token = self._tokens[self._at]
        self._at += 1
        if token.text == "(" and token.kind == "parenthesis":
            inner = self.expression(_LOOSEST)
            if self.at_end() or self._tokens[self._at].text != ")":
                raise InvalidExpression("a parenthesis is not closed")
            self._at += 1
            return inner
        if token.text == "!" and token.kind == "operator":
            operand = self._operand()
            return lambda variables: _is_blank(operand(variables))
        return _value(token)


def _value(token: _Token) -> Evaluate:
    text = token.text
    if token.kind in ("variable", "input"):
        key = text.strip("$[] \t\r\n\f\v")
        return lambda variables: variables.get(key)
    constant: Value
    if token.kind == "string":
        constant = text[1:-1]
    elif token.kind == "pattern":
        constant = _pattern(text)
    elif token.kind in ("null", "boolean"):
        constant = None if token.kind == "null" else text == "true"
    else:
        raise InvalidExpression(f"`{text}` stands where a value is missing")
    return lambda variables: constant


def _pattern(text: str) -> patterns.Search:
    try:
        found = patterns.slashed(text)
    except patterns.InvalidPattern as wrong:
        raise InvalidExpression(f"the pattern {text} is invalid: {wrong}") from None
    if found is None:
        raise InvalidExpression(f"{text} is no pattern")
    return found


def _binary(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if operator in ("&&", "||"):
        stops = operator == "||"

        def logical(variables: Variables) -> Value:
            first = left(variables)
            return first if (first is not None and first is not False) == stops else right(variables)

        return logical
    compare = _matches if operator in ("=~", "!~") else _equal
    wanted = operator in ("==", "=~")
    return lambda variables: compare(left(variables), right(variables)) == wanted


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return _as_text(left) == _as_text(right)
    return left == right


def _as_text(value: Value) -> Value:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _matches(left: Value, right: Value) -> bool:
    """Whether the pattern `right` is found in `left`.

    A text that is no `/pattern/` is none either way round: as in GitLab, where Ruby then asks that text whether it
    holds `left`.
    """
    text = "" if left is None or callable(left) else str(_as_text(left))
    if right is None or right is False:
        return False
    if callable(right):
        return right(text)
    sought = str(_as_text(right))
    pattern = _pattern_in(sought)
    return pattern(text) if pattern else text in sought


def _pattern_in(text: str) -> patterns.Search | None:
    try:
        return patterns.slashed(text)
    except patterns.InvalidPattern:
        return None


def _is_blank(value: Value) -> bool:
    return value is None or value is False or (isinstance(value, str) and not value.strip())
