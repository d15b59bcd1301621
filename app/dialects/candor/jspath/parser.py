"""An expression to its tree: location paths, predicates, and the operators in them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 2000
DEEPEST = 40


class JsPathError(Exception):
    """The expression is none, or would take too long."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Selector:
    """`.name`, `..name`, `.*`; `name` "" is what stands there itself."""

    name: str
    descendants: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """`{condition}`"""

    condition: "Node"


@dataclass(frozen=True, slots=True)
class Index:
    """`[index]`"""

    index: "Node"


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:end]`, each of them optional."""

    start: "Node | None"
    end: "Node | None"


@dataclass(frozen=True, slots=True)
class Path:
    """Steps, each on what the one before found. `from_root`: begins at the top, not where it is used."""

    steps: "tuple[Node, ...]"
    from_root: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """`a | b`: all that its parts find."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Operation:
    """`operator` with one or two operands; `&&` and `||` with any number."""

    operator: str
    operands: "tuple[Node, ...]"


Node = Literal | Selector | Filter | Index | Slice | Path | Union | Operation

EQUALITIES = frozenset(
    ("==", "!=", "===", "!==", "^==", "==^", "^=", "=^", "$==", "==$", "$=", "=$", "*==", "==*", "*=", "=*")
)
ORDERINGS = frozenset(("<", ">", "<=", ">="))
_TOKEN = re.compile(
    r"""[ \r\n\t]*(?:
    (?P<mark>\.\.|\.(?![0-9])|[=!^$*]==|==[\^$*]|[=!^$*<>]=|=[\^$*]|\|\||&&|[:{}()\[\]^+\-*/%!><|])
    |(?P<name>[A-Za-z_$@][A-Za-z0-9_$@]*)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>[0-9]*\.[0-9]*|[0-9]+)
    |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse(expression: str) -> Node:
    """The tree of `expression`. Raises JsPathError."""
    if len(expression) > LONGEST:
        raise JsPathError(f"the expression is longer than {LONGEST} characters")
    parser = _Parser(_tokens(expression))
    tree = parser.union()
    parser.expect_end()
    return tree


def _tokens(expression: str) -> Sequence[_Token]:
    found, place = [], 0
    while True:
        match = _TOKEN.match(expression, place)
        if match is None:
            raise JsPathError(f"{expression[place:].lstrip()[:1]!r} is not expected at {place}")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind]))
        if kind == "end":
            return found
        place = match.end()


class _Parser:
    """Recursive descent, one method a rule."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected()

    def union(self) -> Node:
        parts = [self._union_part()]
        while self._takes("|"):
            parts.append(self._union_part())
        return Union(tuple(parts)) if len(parts) > 1 else parts[0]

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _sees(self, *marks: str) -> bool:
        return self._next.kind == "mark" and self._next.text in marks

    def _takes(self, *marks: str) -> str:
        if not self._sees(*marks):
            return ""
        self._place += 1
        return self._tokens[self._place - 1].text

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            raise self._unexpected()

    def _unexpected(self) -> JsPathError:
        token = self._next
        return JsPathError("the expression ends too early" if token.kind == "end" else f"{token.text!r} is unexpected")

    def _deeper(self, rule: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise JsPathError("the expression is nested too deeply")
        found = rule()
        self._depth -= 1
        return found

    def _union_part(self) -> Node:
        return self._group() if self._sees("(") else self._path()

    def _group(self) -> Node:
        self._expect("(")
        inner = self._deeper(self.union)
        self._expect(")")
        predicates = []
        while (part := self._predicate()) is not None:
            predicates.append(part)
        if not predicates:
            return inner
        if isinstance(inner, Path):
            return Path((*inner.steps, *predicates), inner.from_root)
        return Path((inner, *predicates))

    def _path(self) -> Node:
        if not self._sees(".", "..", "^"):
            raise self._unexpected()
        from_root = bool(self._takes("^"))
        steps = []
        while (part := self._selector() or self._predicate()) is not None:
            steps.append(part)
        return Path(tuple(steps), from_root)

    def _selector(self) -> Node | None:
        mark = self._takes(".", "..")
        if not mark:
            return None
        token = self._next
        name = ""
        if token.kind in ("name", "text") and token.text not in _WORDS:
            self._place += 1
            name = token.text if token.kind == "name" else _unquote(token.text)
        elif self._takes("*"):
            return Selector("*", mark == "..")
        return Selector(name, mark == "..")

    def _predicate(self) -> Node | None:
        if self._takes("["):
            found = self._position()
            self._expect("]")
            return found
        if self._takes("{"):
            condition = self._deeper(self._any)
            self._expect("}")
            return Filter(condition)
        return self._group() if self._sees("(") else None

    def _position(self) -> Node:
        if self._takes(":"):
            return Slice(None, self._unary())
        start = self._unary()
        if not self._takes(":"):
            return Index(start)
        return Slice(start, None if self._sees("]") else self._unary())

    def _any(self) -> Node:
        return self._chain("||", lambda: self._chain("&&", self._equality))

    def _chain(self, operator: str, operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        while self._takes(operator):
            operands.append(operand())
        return Operation(operator, tuple(operands)) if len(operands) > 1 else operands[0]

    def _equality(self) -> Node:
        left = self._ordering()
        while operator := self._takes(*EQUALITIES):
            left = Operation(operator, (left, self._deeper(self._equality)))
        return left

    def _ordering(self) -> Node:
        left = self._sum()
        while operator := self._takes(*ORDERINGS):
            left = Operation(operator, (left, self._deeper(self._ordering)))
        return left

    def _sum(self) -> Node:
        left = self._product()
        while operator := self._takes("+", "-"):
            left = Operation(operator, (left, self._product()))
        return left

    def _product(self) -> Node:
        left = self._unary()
        while operator := self._takes("*", "/", "%"):
            left = Operation(operator, (left, self._unary()))
        return left

    def _unary(self) -> Node:
        if operator := self._takes("!", "-"):
            return Operation(f"unary {operator}", (self._deeper(self._unary),))
        token = self._next
        if token.kind in ("text", "number") or token.text in _WORDS:
            self._place += 1
            return Literal(_literal(token))
        if self._takes("("):
            found = self._deeper(self._any)
            self._expect(")")
            return found
        return self._path()


def _literal(token: _Token) -> Any:
    if token.kind == "text":
        return _unquote(token.text)
    if token.kind == "number":
        if token.text == ".":
            raise JsPathError("'.' is no number")
        return float(token.text) if "." in token.text else int(token.text)
    return _WORDS[token.text]


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
