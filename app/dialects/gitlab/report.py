"""Where the parts of the compiler put what they find wrong."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

from app.dialects.diagnostics import Diagnostic, Severity
from app.dialects.gitlab.nodes import Mark

_MOST = 200
_MOST_HINTS = 100
_MOST_COMPARED = 300
_LONGEST_NAME = 60


class Report:
    """The diagnostics of one compilation, each kept once; after the first 200 only the fact that there are more.

    `broken`: top-level keys that could not be put together. They are not read, nor is what needs them blamed.
    """

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self._found: dict[Diagnostic, None] = {}
        self.error_count = 0
        self._hints_left = _MOST_HINTS

    @property
    def has_errors(self) -> bool:
        return self.error_count > 0

    def error(self, mark: Mark, code: str, message: str) -> None:
        """Say what stops the pipeline."""
        self.error_count += 1
        self._add(Diagnostic(Severity.ERROR, code, message, *mark))

    def warning(self, mark: Mark, code: str, message: str) -> None:
        """Say what is probably not meant."""
        self._add(Diagnostic(Severity.WARNING, code, message, *mark))

    def did_you_mean(self, name: str, known: Iterable[str]) -> str:
        """A clause like " (did you mean `script`?)", or nothing when no known name is near.

        Only the first problems get one: looking for near names takes far longer than reading the configuration.
        """
        if self._hints_left == 0:
            return ""
        self._hints_left -= 1
        near = get_close_matches(name[:_LONGEST_NAME], list(islice(known, _MOST_COMPARED)), n=1, cutoff=0.75)
        return f" (did you mean `{near[0]}`?)" if near else ""

    def _add(self, diagnostic: Diagnostic) -> None:
        if len(self._found) < _MOST:
            self._found[diagnostic] = None
        elif len(self._found) == _MOST:
            message = f"There are more than {_MOST} problems; these are the first"
            self._found[Diagnostic(diagnostic.severity, "too_many_problems", message, diagnostic.file)] = None

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All of them, by file, line and column."""
        return tuple(sorted(self._found))


def quoted(name: str) -> str:
    """`name` short enough, and free enough of control characters, to stand in a message."""
    shown = name[: _LONGEST_NAME + 1]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else "?" for character in shown)
    return shown if len(shown) <= _LONGEST_NAME else shown[:_LONGEST_NAME] + "..."
