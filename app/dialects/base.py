"""What every compiler takes and gives back. A compiler is pure: it reads files only by the functions in its context."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from app.dialects.diagnostics import Diagnostic, Severity
from app.dialects.sources import Included, NoSources, Sources
from app.domain.plan import Plan


def _no_file(path: str) -> str | None:
    return None


def _no_commit(path: str) -> str | None:
    return None


def _no_files() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class CompileContext:
    """What a compiler may know of the pipeline to come.

    `predefined` are the CI_* variables that a configuration's own variables override, `variables` those that override
    them: the project's, the group's, the instance's (protected ones on protected refs only) and the pipeline's own.
    `read_file` gives the text of a file of the repository at `sha`, None where there is none; `list_files` all paths
    with their git blob ids; `last_commit` the id of the last commit that touched a path, None where none did.
    `changed_files` None: not known, so every `changes` clause is true. `changes_since` gives
    the same for a `compare_to` ref, and raises ValueError when there is no such ref.
    `variables_for` gives what `variables` are for a job of an environment; None: the same everywhere.
    `stored`: the text is kept with its definition and comes from no commit. `sources` are files of other projects and
    servers. `masked`: keys of `variables` whose values no message may show; `raw`: keys of `variables` and `predefined`
    whose values are never expanded.
    `inputs` are the values that the configuration's own `spec:inputs` get; texts stand for numbers, booleans and lists
    where those are declared (`"3"`, `"true"`, `"[1, 2]"`).
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
    last_commit: Callable[[str], str | None] = _no_file
    stored: bool = False
    changed_files: frozenset[str] | None = None
    changes_since: Callable[[str], frozenset[str] | None] | None = None
    render_merged: bool = False
    sources: Sources = field(default_factory=NoSources)
    masked: frozenset[str] = frozenset()
    raw: frozenset[str] = frozenset()
    variables_for: Callable[[str], Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of a configuration: a plan, or none and why.

    There is no plan when a diagnostic is an error, or when the configuration asks for no pipeline here, which
    `skipped_reason` says in a sentence. `merged` is the whole configuration as one text, where the context asks for it;
    `included` are the files that it is made of beside the first, in the order in which they were read.
    """

    plan: Plan | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    merged: str | None = None
    skipped_reason: str | None = None
    included: tuple[Included, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True)
class DeclaredInput:
    """One value that a configuration asks for by name. `kind`: string, number, boolean or array.

    `default` is what counts where nothing is given, unless it is `required`; `options` are the only ones allowed.
    """

    name: str
    kind: str = "string"
    required: bool = False
    default: object = None
    options: tuple[object, ...] = ()
    description: str = ""


class Compiler(Protocol):
    """Compiles one dialect. Never raises on any text, and always ends within its limits."""

    def __call__(self, path: str, text: str, context: CompileContext) -> Compilation: ...
