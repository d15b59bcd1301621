"""`$[[ inputs.x | function ]]` blocks, replaced by the values of inputs (gitlab.md C.1)."""

import re
from collections.abc import Callable, Mapping

from app.dialects.gitlab import nodes, scalars
from app.dialects.gitlab.limits import TooLarge, checked
from app.dialects.gitlab.nodes import Entry, Mark, Node, Reference, Scalar, Sequence
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report, quoted
from app.domain.errors import LimitExceeded
from app.domain.variables import expand_existing

MOST_FUNCTIONS = 3
MOST_TEXT = 2 * 1024 * 1024
"""How many characters all blocks of one file may be replaced by."""

_BLOCK = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_ACCESS = re.compile(r"inputs\.([\w-]+)")
_TRUNCATE = re.compile(r"truncate\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\)")
_UNSAFE = re.compile(r"[^A-Za-z0-9_\-.,:+/@\n]")


def interpolate(root: Node, found: Mapping[str, Node], variables: Mapping[str, str], report: Report) -> Node:
    """`root` with every `$[[ inputs.x ]]` replaced. `variables` are for the function `expand_vars`. Raises TooLarge."""
    return checked(_Interpolation(found, variables, report).node(root))


class _Interpolation:
    def __init__(self, found: Mapping[str, Node], variables: Mapping[str, str], report: Report) -> None:
        self._found = found
        self._variables = variables
        self._report = report
        self._left = MOST_TEXT

    def node(self, node: Node) -> Node:
        if isinstance(node, MappingNode):
            entries: dict[str, Entry] = {}
            for key, entry in node.entries.items():
                name = self._text(key, entry.key_mark) if "$[[" in key else key
                entries[name] = Entry(entry.key_mark, self.node(entry.value))
            return nodes.mapping(node.mark, entries)
        if isinstance(node, Sequence):
            return nodes.sequence(node.mark, (self.node(item) for item in node.items))
        if isinstance(node, Reference):
            return Reference(node.mark, tuple(self._text(part, node.mark) for part in node.path))
        return self._scalar(node) if isinstance(node.value, str) and "$[[" in node.value else node

    def _scalar(self, node: Scalar) -> Node:
        text = str(node.value)
        whole = _BLOCK.fullmatch(text.strip())
        if whole and "]]" not in whole[1]:
            return self._block(whole[1], node.mark) or Scalar(node.mark, "")
        return Scalar(node.mark, self._text(text, node.mark))

    def _text(self, text: str, mark: Mark) -> str:
        def replacement(match: re.Match[str]) -> str:
            value = self._block(match[1], mark)
            return "" if value is None else _as_text(value)

        return _BLOCK.sub(replacement, text)

    def _block(self, content: str, mark: Mark) -> Node | None:
        """The value that a block stands for, at the block's place; None when it is wrong, which is then reported."""
        access, *functions = (part.strip() for part in content.split("|"))
        match = _ACCESS.fullmatch(access)
        problem = None
        if not match:
            problem = f"unknown interpolation key: `{quoted(access)}`"
        elif match[1] not in self._found:
            hint = self._report.did_you_mean(match[1], self._found)
            problem = f"unknown input name provided: `{quoted(match[1])}`{hint}"
        elif len(functions) > MOST_FUNCTIONS:
            problem = "too many functions in interpolation block."
        if problem or not match:
            self._report.error(mark, "bad_interpolation", problem or "")
            return None
        value = self._found[match[1]]
        for function in functions:
            applied = self._apply(function, value, mark)
            if applied is None:
                return None
            value = applied
        self._spend(value, mark)
        return value

    def _apply(self, name: str, value: Node, mark: Mark) -> Node | None:
        function = self._function(name)
        text = value.value if isinstance(value, Scalar) else None
        if function is None or not isinstance(text, str):
            problem = f"no function matching `{quoted(name)}`" if function is None else f"`{name}` takes a string"
            self._report.error(
                mark, "bad_interpolation", f"{problem}: expand_vars, truncate(0,5) and posix_escape are there"
            )
            return None
        try:
            return Scalar(value.mark, function(text))
        except LimitExceeded as beyond:
            raise TooLarge(mark, str(beyond)) from None

    def _function(self, name: str) -> Callable[[str], str] | None:
        if name == "expand_vars":
            return lambda text: expand_existing(text, self._variables)
        if name == "posix_escape":
            return _posix_escape
        if match := _TRUNCATE.fullmatch(name):
            start, length = int(match[1]), int(match[2])
            return lambda text: text[start : start + length]
        return None

    def _spend(self, value: Node, mark: Mark) -> None:
        self._left -= value.size + (
            len(value.value) if isinstance(value, Scalar) and isinstance(value.value, str) else 0
        )
        if self._left < 0:
            raise TooLarge(mark, f"The inputs of the configuration fill in more than {MOST_TEXT} characters")


def _posix_escape(text: str) -> str:
    """`text` as one word of a POSIX shell."""
    return _UNSAFE.sub(lambda match: "\\" + match[0], text).replace("\n", "'\n'") if text else "''"


def _as_text(value: Node) -> str:
    """A value inside a longer text; a list as YAML writes it in one line."""
    if isinstance(value, Scalar):
        return "" if value.value is None else scalars.as_text(value.value)
    plain = nodes.to_plain(value)
    items = plain if isinstance(plain, list) else [plain]
    return "[" + ", ".join(f'"{item}"' if isinstance(item, str) else str(item) for item in items) + "]"
