"""`skerry lint`: a pipeline file on disk, checked as a push of it would be."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.dialects.diagnostics import Diagnostic
from app.dialects.registry import CompileContext, compile_configuration
from app.dialects.sources import Unreadable
from app.domain.errors import LimitExceeded

#: One byte more than the compiler takes, so that it is the compiler that says so.
READ_LIMIT = 2 * 1024 * 1024 + 1
NOT_COMMITTED = "0" * 40


@dataclass(frozen=True, slots=True)
class LintResult:
    """What the compiler said of one file."""

    path: Path
    diagnostics: tuple[Diagnostic, ...]
    jobs: int

    @property
    def valid(self) -> bool:
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    def as_text(self) -> str:
        """One line for each diagnostic, or one that says that all is well."""
        if self.diagnostics:
            return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)
        return f"{self.path}: valid, {self.jobs} job{'' if self.jobs == 1 else 's'}"

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "valid": self.valid,
            "jobs": self.jobs,
            "diagnostics": [
                {
                    "file": diagnostic.file,
                    "severity": diagnostic.severity,
                    "code": diagnostic.code,
                    "message": diagnostic.message,
                    "line": diagnostic.line,
                    "column": diagnostic.column,
                }
                for diagnostic in self.diagnostics
            ],
        }


def lint_file(path: Path) -> LintResult:
    """Compile the file at `path` as for a push to `main`; files that it includes are read from beside it, and
    those that its rules and cache keys ask for are looked up there. Files of other projects and servers are not to
    be had: to include one is an error that says so.
    """
    folder = path.resolve().parent

    def read(relative: str) -> str | None:
        target = (folder / relative.lstrip("/")).resolve()
        if not target.is_relative_to(folder) or not target.is_file():
            return None
        try:
            return _read(target)
        except LimitExceeded:
            raise Unreadable(f"is larger than {READ_LIMIT - 1} bytes") from None
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from None

    context = CompileContext(
        ref="main",
        sha="0" * 40,
        source="push",
        default_branch="main",
        read_file=read,
        list_files=lambda: _list_files(folder),
    )
    compiled = compile_configuration(str(path), _read(path), context)
    return LintResult(path, tuple(compiled.diagnostics), len(compiled.plan.jobs) if compiled.plan else 0)


def _list_files(folder: Path) -> dict[str, str]:
    """The files below `folder`, but for git's own. The ids are those of files that nobody has committed yet."""
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in files:
            relative = Path(place, name).relative_to(folder).as_posix()
            found[relative.encode("utf-8", "replace").decode()] = NOT_COMMITTED
    return found


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(READ_LIMIT)
    if len(data) == READ_LIMIT:
        raise LimitExceeded(f"{path}: the file is larger than {READ_LIMIT - 1} bytes", READ_LIMIT - 1)
    return data.decode("utf-8", "replace")
