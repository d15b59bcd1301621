"""One configuration out of many files: header, inputs, `include` (gitlab.md C.0, steps 1 to 3)."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.dialects.base import CompileContext
from app.dialects.gitlab import inputs, loader, nodes, patterns, values, variables
from app.dialects.gitlab.entries import rules
from app.dialects.gitlab.interpolation import interpolate
from app.dialects.gitlab.limits import TooLarge, checked
from app.dialects.gitlab.nodes import Entry, Mark, Node, Scalar, Sequence
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report, quoted
from app.dialects.gitlab.rules import RuleEvaluator
from app.dialects.gitlab.variables import Expander, Known
from app.domain.variables import expand_existing

MOST_FILES = 150
MOST_TEXT = 16 * 1024 * 1024
"""How many characters all files of one configuration may have together."""

MOST_WILDCARDS = 50
MOST_NESTED = 100

_KEYWORD = "include"
_KINDS = ("local", "project", "remote", "template", "component", "artifact")
_KEYS = (*_KINDS, "file", "ref", "integrity", "job", "inputs", "rules")
_NO_FORMAT = "Invalid configuration format"
_TOO_MANY = f"Maximum of {MOST_FILES} nested includes are allowed!"
_EXTENSIONS = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class _Place:
    """A file to include: where that is said, and what inputs it is given."""

    mark: Mark
    path: str
    given: Mapping[str, Node]


class Files:
    """Reads a configuration with all that it includes. `is_complete` turns false when a file is not to be had."""

    def __init__(self, context: CompileContext, report: Report) -> None:
        self._context = context
        self._report = report
        self._known = Known(variables.values_of(variables.predefined(context), context.variables), (), Expander())
        self._evaluator = RuleEvaluator(context, report)
        self._count = 0
        self._wildcards = 0
        self.is_complete = True
        self._text_left = MOST_TEXT

    def root(self, path: str, text: str) -> MappingNode | None:
        """The whole configuration that starts in the file `path`, or None, with the reason in the report.

        Raises TooLarge, and what `Known.expanded` raises.
        """
        start = Mark(path, 1, 1)
        given = {name: nodes.from_plain(start, value) for name, value in self._context.inputs.items()}
        return self._file(_Place(start, path, given), text, ())

    def _file(self, place: _Place, text: str, chain: tuple[str, ...]) -> MappingNode | None:
        """The file at `place` with its own includes. `chain`: the files that lead to it."""
        self._text_left -= len(text)
        if self._text_left < 0:
            raise TooLarge(place.mark, f"All files of the configuration have more than {MOST_TEXT} characters")
        documents = loader.load(text, place.path, self._report)
        if documents is None:
            return None
        header, config = self._split(documents, place)
        if config is None:
            return None
        if header is not None or place.given:
            before = self._report.error_count
            found = inputs.resolve(header, place.given, place.mark, self._report)
            if self._report.error_count > before:
                return None
            filled = interpolate(config, found, self._known.expanded, self._report)
            if self._report.error_count > before or not isinstance(filled, MappingNode):
                return None
            config = filled
        return self._with_includes(config, (*chain, place.path))

    def _split(self, documents: list[Node], place: _Place) -> tuple[Node | None, MappingNode | None]:
        """The header, where there is one, and the configuration."""
        header = documents[0] if len(documents) > 1 else None
        config = documents[-1] if documents else Scalar(Mark(place.path, 1, 1), None)
        if len(documents) > 2:
            message = "A configuration has one YAML document, or two when the first is its `spec`"
            self._report.error(documents[2].mark, "too_many_documents", message)
            return None, None
        if not isinstance(config, MappingNode):
            self._report.error(config.mark, "not_a_mapping", _NO_FORMAT)
            return None, None
        if header is not None:
            values.mapping(self._report, header, "header", ("spec",))
        return header, config

    def _with_includes(self, config: MappingNode, chain: tuple[str, ...]) -> MappingNode | None:
        entry = config.entries.get(_KEYWORD)
        if entry is None or (isinstance(entry.value, MappingNode) and "script" in entry.value):
            return config
        own = nodes.mapping(config.mark, {key: found for key, found in config.entries.items() if key != _KEYWORD})
        merged: Node | None = None
        for place in self._places(entry):
            included = self._include(place, chain)
            if included is None:
                self.is_complete = False
            else:
                merged = included if merged is None else checked(nodes.deep_merge(merged, included))
        whole = own if merged is None else checked(nodes.deep_merge(merged, own))
        return whole if isinstance(whole, MappingNode) else None

    def _include(self, place: _Place, chain: tuple[str, ...]) -> MappingNode | None:
        shown = quoted(place.path)
        self._count += 1
        if self._count > MOST_FILES:
            raise TooLarge(place.mark, _TOO_MANY)
        text = None
        if place.path in chain:
            problem = f"Local file `{shown}` includes itself"
        elif len(chain) > MOST_NESTED:
            problem = f"Local file `{shown}` is included more than {MOST_NESTED} levels deep"
        elif not place.path.lower().endswith(_EXTENSIONS):
            problem = f"Included file `{shown}` does not have YAML extension!"
        else:
            text = self._context.read_file(place.path)
            problem = f"Local file `{shown}` " + ("does not exist!" if text is None else "is empty!")
        if not text or not text.strip():
            self._report.error(place.mark, "bad_include", problem)
            return None
        return self._file(place, text, chain)

    def _places(self, entry: Entry) -> list[_Place]:
        """All files that an `include` names and its rules admit, wildcards written out."""
        node = entry.value
        items = node.items if isinstance(node, Sequence) else (node,)
        if len(items) > MOST_FILES:
            raise TooLarge(node.mark, _TOO_MANY)
        before = self._report.error_count
        places = [place for item in items if not nodes.is_null(item) for place in self._expand(item)]
        self.is_complete = self.is_complete and self._report.error_count == before
        return places

    def _expand(self, item: Node) -> list[_Place]:
        location, given = item, {}
        if isinstance(item, MappingNode):
            if not self._is_wanted(item):
                return []
            location, given = item.entries["local"].value, self._given(item)
        path = values.text(self._report, location, "include local", "should be a string")
        if path is None:
            return []
        path = expand_existing(path, self._known.expanded)
        if path.startswith(("http://", "https://")):
            message = "include: `remote` is not supported yet"
            self._report.error(location.mark, "unsupported_keyword", message)
            return []
        return [_Place(location.mark, found, given) for found in self._matching(path.lstrip("/"), location.mark)]

    def _is_wanted(self, item: MappingNode) -> bool:
        """Whether a mapping names a local file and its rules, where it has some, admit it."""
        kinds = [kind for kind in _KINDS if kind in item]
        values.check_keys(self._report, item, "include", _KEYS)
        if not kinds:
            valid = ", ".join(f"`{kind}`" for kind in _KINDS)
            message = f"`include` does not have a valid subkey for include. Valid subkeys are: {valid}"
            self._report.error(item.mark, "bad_include", message)
            return False
        if kinds != ["local"]:
            kind = next(kind for kind in kinds if kind != "local")
            mark = item.entries[kind].key_mark
            self._report.error(mark, "unsupported_keyword", f"include: `{kind}` is not supported yet")
            return False
        node = item.get("rules")
        if node is None:
            return True
        admitted = rules.include_rules(self._report, node, "include:rules") or ()
        rule = self._evaluator.first_match(admitted, self._known, "include")
        return rule is not None and rule.when != "never"

    def _given(self, item: MappingNode) -> dict[str, Node]:
        node = item.get("inputs")
        if node is None:
            return {}
        if not isinstance(node, MappingNode):
            values.refuse(self._report, node, "include inputs", "should be a hash")
            return {}
        return {name: entry.value for name, entry in node.entries.items()}

    def _matching(self, path: str, mark: Mark) -> list[str]:
        """The path itself, or with a `*` in it all files that match."""
        if "*" not in path:
            return [path]
        self._wildcards += 1
        if self._wildcards > MOST_WILDCARDS:
            raise TooLarge(mark, f"There are more than {MOST_WILDCARDS} includes with wildcards")
        try:
            matches = patterns.glob(path)
        except patterns.InvalidPattern:
            matches = path.__eq__
        found = sorted(name for name in self._context.list_files() if matches(name))
        if not found:
            self._report.warning(mark, "empty_include", f"Local file `{quoted(path)}` matches no file")
        return found
