"""Which compiler a configuration file belongs to, by its name."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from app.dialects import candor, gitlab
from app.dialects.base import Compilation, CompileContext, Compiler, DeclaredInput
from app.dialects.diagnostics import Diagnostic, Severity

DEFAULT_PATH = ".gitlab-ci.yml"
"""The file that is looked for where a project names none."""

_BY_NAME: Mapping[str, Compiler] = dict.fromkeys(candor.NAMES, candor.compile_text)
_BY_SUFFIX: Mapping[str, Compiler] = {".yml": gitlab.compile_text, ".yaml": gitlab.compile_text}


def compiler_for(path: str) -> Compiler | None:
    """The compiler for a file of that name, or None when no dialect uses such a name."""
    file = PurePosixPath(path)
    return _BY_NAME.get(file.name.lower()) or _BY_SUFFIX.get(file.suffix.lower())


def declared_inputs(path: str, text: str) -> tuple[DeclaredInput, ...]:
    """The values that the configuration `text` asks for by name; none where it asks for none, or cannot be read."""
    return gitlab.declared_inputs(path, text) if compiler_for(path) is gitlab.compile_text else ()


def typed_inputs(path: str, text: str, given: Mapping[str, object]) -> Mapping[str, object]:
    """`given` inputs, the texts among them read as what the configuration declares: "5" as a number."""
    texts = any(isinstance(value, str) for value in given.values())
    return gitlab.typed(declared, given) if texts and (declared := declared_inputs(path, text)) else given


def compile_configuration(path: str, text: str, context: CompileContext) -> Compilation:
    """Compile `text`, the content of the file `path`. Never raises; problems are the result's diagnostics."""
    compiler = compiler_for(path)
    if compiler is None:
        message = f"No dialect is known for a file of this name; `{DEFAULT_PATH}` is one that is"
        return Compilation(diagnostics=(Diagnostic(Severity.ERROR, "unknown_dialect", message, path),))
    return compiler(path, text, context)
