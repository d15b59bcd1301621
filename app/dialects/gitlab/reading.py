"""One file: its documents, its inputs filled in, and the mapping that comes of it (gitlab.md C.0, steps 1 and 2)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.dialects.base import CompileContext
from app.dialects.gitlab import documents, headers, inputs, loader
from app.dialects.gitlab.fetching import Scope
from app.dialects.gitlab.functions import Setting
from app.dialects.gitlab.interpolation import interpolate
from app.dialects.gitlab.limits import TooLarge
from app.dialects.gitlab.nodes import Entry, Mark, Node, Scalar
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report

MOST_TEXT = 16 * 1024 * 1024
"""How many characters all files of one configuration may have together."""

_NO_FORMAT = "Invalid configuration format"


@dataclass(frozen=True, slots=True)
class File:
    """A file to be read: `given` are its inputs, which somebody in the scope `asker` gives at `mark`.

    `scope` is its own, for what it includes. The first file of all `is_root`.
    """

    name: str
    text: str
    given: Mapping[str, Node]
    mark: Mark
    asker: Scope
    scope: Scope
    is_root: bool = False

    @property
    def of(self) -> str:
        """What comes before a message that is shown at another place than in the file itself."""
        return "" if self.is_root else f"`{self.name}`: "


HeaderFiles = Callable[[Entry, Scope], Iterable[MappingNode]]
"""Gives the files that the `spec:include` of a file in that scope names."""


class Reader:
    """Reads files of one configuration; together they may not be larger than MOST_TEXT."""

    def __init__(self, context: CompileContext, header_files: HeaderFiles, report: Report) -> None:
        self._context = context
        self._header_files = header_files
        self._report = report
        self._left = MOST_TEXT

    def read(self, file: File) -> MappingNode | None:
        """The configuration in a file, or None, with the reason in the report. Raises TooLarge."""
        self._left -= len(file.text)
        if self._left < 0:
            raise TooLarge(file.mark, f"All files of the configuration have more than {MOST_TEXT} characters")
        before = self._report.error_count
        parts = documents.split(file.text, file.name, self._report)
        if parts is None:
            return None
        config = parts.config
        if parts.header is not None:
            config = self._filled(file, parts.header, parts.body)
        elif file.given:
            message = "Given inputs not defined in the `spec` section of the included configuration file"
            self._report.error(file.mark, "unknown_input", f"{file.of}{message}")
        return None if self._report.error_count > before else self._checked(file, config)

    def _checked(self, file: File, config: Node | None) -> MappingNode | None:
        mark = config.mark if config else Mark(file.name, 1, 1)
        if not isinstance(config, MappingNode):
            self._report.error(mark, "not_a_mapping", f"{file.of}{_NO_FORMAT}")
            return None
        if not config.entries and not file.is_root:
            message = f"Included file `{file.name}` does not have valid YAML syntax!"
            self._report.error(mark, "bad_include", message)
            return None
        return config

    def _filled(self, file: File, node: MappingNode, body: str) -> Node | None:
        """The second document of a file, with its inputs in their places."""
        before = self._report.error_count
        header = headers.read(node, lambda entry: list(self._header_files(entry, file.scope)), self._report)
        if self._report.error_count > before:
            return None
        values: dict[str, object] = {
            "inputs": inputs.resolve(header.inputs, file.given, file.mark, file.of, self._report),
            "component": {key: file.scope.component[key] for key in header.component if key in file.scope.component},
        }
        if self._report.error_count > before:
            return None
        setting = Setting(file.asker.known.expanded, self._context.masked)
        text = interpolate(body, file.name, values, setting, self._report)
        found = None if text is None else loader.load(text, file.name, self._report)
        if found is not None and len(found) > 1:
            self._report.error(found[1].mark, "too_many_documents", documents.TOO_MANY)
        return found[0] if found else Scalar(Mark(file.name, 1, 1), None)
