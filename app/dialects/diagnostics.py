"""What a compiler has to say about a configuration: where it is, how bad it is, and what would be right."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error stops the pipeline; a warning is shown and the pipeline runs."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to say. `code` is a short name that programs can match; `line` and `column` count from 1."""

    severity: Severity
    code: str
    message: str
    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"

    def __lt__(self, other: "Diagnostic") -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[str, int, int, str, str]:
        return (self.file, self.line, self.column, self.severity, self.message)
