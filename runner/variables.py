"""A job's variables: who provides them, in which order, and how they are expanded (gitlab.md A.8)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from runner.protocol.wire import Variable

_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_SPECIAL = frozenset("*#$@!?-0123456789")
_TRUE = frozenset(("1", "t", "true", "yes", "on"))


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced, an undefined name by nothing, `$$` by `$`; as Go's `os.Expand` does it."""
    if "$" not in text:
        return text
    out, position = [], 0
    while (dollar := text.find("$", position)) >= 0 and dollar + 1 < len(text):
        out.append(text[position:dollar])
        name, length = _name_at(text, dollar + 1)
        if name:
            out.append("$" if name == "$" else values.get(name, ""))
        elif length == 0:
            out.append("$")
        position = dollar + 1 + length
    out.append(text[position:])
    return "".join(out)


def _name_at(text: str, start: int) -> tuple[str, int]:
    """The name after a `$` and how many characters spell it. ("", n > 0) is bad syntax, which is swallowed."""
    if text[start] == "{":
        end = text.find("}", start + 1)
        if end < 0:
            return "", 1
        return text[start + 1 : end], end - start + 1
    if text[start] in _SPECIAL:
        return text[start], 1
    match = _NAME.match(text, start)
    return (match.group(), len(match.group())) if match else ("", 0)


_SHELL = re.compile(
    r"\\(?P<escaped>[\s\S])|\$(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?[-+])(?P<word>[^{}]*))?\})",
    re.ASCII,
)


def expand_like_shell(text: str, values: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}` as a shell would; nothing is run."""

    def replaced(match: re.Match[str]) -> str:
        if match["escaped"] is not None:
            return match["escaped"] if match["escaped"] in '$"\\`' else match.group()
        value = values.get(match["plain"] or match["name"])
        operator, word = match["operator"] or "", match["word"] or ""
        there = value is not None and (value != "" or not operator.startswith(":"))
        if operator.endswith("-"):
            return (value or "") if there else expand_like_shell(word, values)
        if operator.endswith("+"):
            return expand_like_shell(word, values) if there else ""
        return value or ""

    return _SHELL.sub(replaced, text)


class Variables:
    """An ordered list of variables in which a later one wins.

    `files` is the folder in which the job finds file variables: their value for the job, and in the values of others,
    is the path there.
    """

    def __init__(self, variables: Iterable[Variable], files: str) -> None:
        self._files = files
        self._list = tuple(variables)
        self._values = {variable.key: self._visible(variable) for variable in self._list}

    def _visible(self, variable: Variable) -> str:
        return f"{self._files}/{variable.key}" if variable.file else variable.value

    def expanded(self) -> "Variables":
        """The same with all values expanded once, those excepted that are raw or a file's content."""
        return Variables(
            [v if v.raw or v.file else replace(v, value=expand(v.value, self._values)) for v in self._list], self._files
        )

    def __iter__(self) -> Iterator[Variable]:
        """The winners, in the order in which their keys first appeared."""
        return iter({variable.key: variable for variable in self._list}.values())

    @property
    def environment(self) -> dict[str, str]:
        """What the job's processes see."""
        return dict(self._values)

    def get(self, key: str, default: str = "") -> str:
        return self._values.get(key, default)

    def content(self, key: str) -> str:
        """A variable's own text, also where the job sees the path of a file with it; "" where there is none."""
        return next((variable.value for variable in reversed(self._list) if variable.key == key), "")

    def flag(self, key: str, default: bool = False) -> bool:
        """A variable that says yes or no."""
        value = self.get(key).strip().lower()
        return default if not value else value in _TRUE

    def number(self, key: str, default: int, most: int) -> int:
        """A whole number between 0 and `most`; `default` where the variable is no such number."""
        value = self.get(key).strip()
        return int(value) if value.isascii() and value.isdigit() and int(value) <= most else default

    def masked_values(self) -> list[str]:
        return [variable.value for variable in self._list if variable.masked]

    def expand(self, text: str) -> str:
        """The rule for names of images, services and caches."""
        return expand(text, self._values)

    def expand_like_shell(self, text: str) -> str:
        """The rule for paths and names of artifacts and caches."""
        return expand_like_shell(text, self._values)
