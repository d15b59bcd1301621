"""What every compiler takes and gives back. A compiler is pure: it reads files only by the functions in its context."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from app.dialects.diagnostics import Diagnostic, Severity
from app.domain.plan import Plan


def _no_file(path: str) -> str | None:
    return None


def _no_files() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class CompileContext:
    """What a compiler may know of the pipeline to come.

    `predefined` are the CI_* variables that a configuration's own variables override, `variables` those that override
    them: the project's, the group's, the instance's (protected ones on protected refs only) and the pipeline's own.
    `read_file` gives the text of a file of the repository at `sha`, None where there is none; `list_files` all paths
    with their git blob ids. `changed_files` None: not known, so every `changes` clause is true. `changes_since` gives
    the same for a `compare_to` ref, and raises ValueError when there is no such ref.
    `variables_for` gives what `variables` are for a job of an environment; None: the same everywhere.
    `stored`: the text is kept with its definition and comes from no commit.
    """

    ref: str = "main"
    tag: bool = False
    sha: str = ""
    source: str = "push"
    default_branch: str = "main"
    project_path: str = ""
    predefined: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    inputs: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    read_file: Callable[[str], str | None] = _no_file
    list_files: Callable[[], Mapping[str, str]] = _no_files
    stored: bool = False
    changed_files: frozenset[str] | None = None
    changes_since: Callable[[str], frozenset[str] | None] | None = None
    render_merged: bool = False
    variables_for: Callable[[str], Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of a configuration: a plan, or none and why.

    There is no plan when a diagnostic is an error, or when the configuration asks for no pipeline here, which
    `skipped_reason` says in a sentence. `merged` is the whole configuration as one text, where the context asks for it.
    """

    plan: Plan | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    merged: str | None = None
    skipped_reason: str | None = None

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity is Severity.WARNING)


class Compiler(Protocol):
    """Compiles one dialect. Never raises on any text, and always ends within its limits."""

    def __call__(self, path: str, text: str, context: CompileContext) -> Compilation: ...
