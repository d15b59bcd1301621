"""Regular expressions and globs of users, in an engine whose time grows linearly with the text (RE2)."""

import re
from collections.abc import Callable
from functools import lru_cache

import re2

_SLASHED = re.compile(r"/(.+)/([ismU]*)", re.DOTALL)


class InvalidPattern(ValueError):
    """A pattern that RE2 does not take."""


Search = Callable[[str], bool]


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> object:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as wrong:
        reason = wrong.args[0] if wrong.args else wrong
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else f"{reason}"
        raise InvalidPattern(text) from None


def searcher(pattern: str, flags: str = "") -> Search:
    """A function that says whether `pattern` is found anywhere in a text. Flags: i, s, m and U, as RE2 has them."""
    before = f"(?{flags})" if flags else ""
    try:
        found = _compiled(before + pattern)
    except InvalidPattern as wrong:
        # Nobody wrote it like that.
        raise InvalidPattern(str(wrong).replace(before, "", 1)) from None

    def search(text: str) -> bool:
        return bool(found.search(text))  # type: ignore[attr-defined]

    return search


def escape(text: str) -> str:
    """`text` as a pattern for itself."""
    return str(re2.escape(text))


def slashed(text: str) -> Search | None:
    """The searcher for a text of the form `/pattern/flags`; None for any other. Raises InvalidPattern."""
    match = _SLASHED.fullmatch(text)
    return searcher(match[1], match[2]) if match else None


def glob(pattern: str) -> Search:
    """A function that says whether a path matches, as Ruby's File.fnmatch with PATHNAME, DOTMATCH and EXTGLOB has it.

    `*` and `?` stay within a folder, `**/` stands for any folders, `{a,b}` for either. Raises InvalidPattern.
    """
    return searcher(f"^(?:{_Glob(pattern).translate()})$", "s")


class _Glob:
    """Turns one glob into a regular expression."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._braces = 0

    def translate(self) -> str:
        pieces = []
        while self._at < len(self._pattern):
            pieces.append(self._next())
        # An open brace that nothing closes makes a pattern that RE2 refuses, and so nothing matches.
        return "".join(pieces)

    def _next(self) -> str:
        character = self._pattern[self._at]
        at_segment = self._at == 0 or self._pattern[self._at - 1] in "/{,"
        if at_segment and self._pattern.startswith("**/", self._at):
            self._at += 3
            return "(?:[^/]+/)*"
        self._at += 1
        if character == "*":
            return "[^/]*"
        if character == "?":
            return "[^/]"
        if character == "[":
            return self._class()
        if character == "\\" and self._at < len(self._pattern):
            self._at += 1
            return re2.escape(self._pattern[self._at - 1])
        return self._brace(character)

    def _brace(self, character: str) -> str:
        if character == "{":
            self._braces += 1
            return "(?:"
        if character == "}" and self._braces:
            self._braces -= 1
            return ")"
        return "|" if character == "," and self._braces else re2.escape(character)

    def _class(self) -> str:
        """A set like `[a-z]` or `[!a]`; a bracket that nothing closes is just a bracket."""
        end = self._pattern.find("]", self._at + 1)
        if end < 0:
            return r"\["
        inside = self._pattern[self._at : end]
        self._at = end + 1
        negated = inside[0] in "!^"
        members = inside[1:] if negated else inside
        escaped = members.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^").replace("]", "\\]")
        return f"[^/{escaped}]" if negated else f"[{escaped}]"
