"""One configuration out of many files: header, inputs, `include` (gitlab.md C.0, steps 1 to 3)."""

from collections.abc import Iterator

from app.dialects.base import CompileContext
from app.dialects.gitlab import fetching, headers, nodes, variables
from app.dialects.gitlab.entries import rules
from app.dialects.gitlab.fetching import Fetcher, Refused, Scope
from app.dialects.gitlab.limits import TooLarge, checked
from app.dialects.gitlab.locations import Location, LocationReader
from app.dialects.gitlab.nodes import Entry, Mark, Node
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.reading import File, Reader
from app.dialects.gitlab.report import Report
from app.dialects.gitlab.rules import RuleEvaluator
from app.dialects.gitlab.variables import Expander, Known
from app.dialects.sources import Included, Tree
from app.domain.variables import expand_existing

MOST_FILES = 150
MOST_WILDCARDS = 50
_KEYWORD = "include"
_TOO_MANY = f"Maximum of {MOST_FILES} nested includes are allowed!"
_NO_FILES = Tree("", "", lambda _: None, dict)


class Files:
    """Reads a configuration with all that it includes. `is_complete` turns false when a file is not to be had.

    `included` are the files that were read beside the first, in that order.
    """

    def __init__(self, context: CompileContext, report: Report) -> None:
        self._context = context
        self._report = report
        self._evaluator = RuleEvaluator(context, report)
        self._fetcher = Fetcher(context)
        self._count = 0
        self._wildcards = 0
        self._reader = Reader(context, self._header_files, report)
        self.is_complete = True
        self.included: list[Included] = []

    def root(self, path: str, text: str) -> MappingNode | None:
        """The whole configuration that starts in the file `path`, or None, with the reason in the report.

        Raises TooLarge, and what `Known.expanded` raises.
        """
        context, start = self._context, Mark(path, 1, 1)
        known = Known(variables.values_of(variables.predefined(context), context.variables), (), Expander(), context)
        scope = Scope(Tree(context.project_path, context.sha, context.read_file, context.list_files), known)
        given = {name: nodes.from_plain(start, value) for name, value in context.inputs.items()}
        config = self._reader.read(File(path, text, given, start, scope, scope, is_root=True))
        return None if config is None else self._with_includes(config, scope)

    def _with_includes(self, config: MappingNode, scope: Scope) -> MappingNode | None:
        """`config` on top of the files that it includes, which are on top of theirs, and so on."""
        entry = config.entries.get(_KEYWORD)
        if entry is None or (isinstance(entry.value, MappingNode) and "script" in entry.value):
            return config
        own = nodes.mapping(config.mark, {key: found for key, found in config.entries.items() if key != _KEYWORD})
        merged: Node | None = None
        for place in self._places(entry, scope):
            file = self._fetch(place, scope)
            inner = file and self._reader.read(file)
            whole = self._with_includes(inner, file.scope) if file and inner else None
            if whole is None:
                self.is_complete = False
            else:
                merged = whole if merged is None else checked(nodes.deep_merge(merged, whole))
        found_all = own if merged is None else checked(nodes.deep_merge(merged, own))
        return found_all if isinstance(found_all, MappingNode) else None

    def _header_files(self, entry: Entry, scope: Scope) -> Iterator[MappingNode]:
        """The files of a `spec:include`, each of which holds `inputs` and nothing else."""
        for place in self._places(entry, scope, for_header=True):
            file = self._fetch(place, scope)
            config = file and self._reader.read(file)
            if config and file:
                headers.check_only_inputs(config, file.name, self._report)
                yield config

    def _fetch(self, place: Location, scope: Scope) -> File | None:
        """The file at `place`. A file may include itself, by rules that end some time; else the count stops it."""
        self._count += 1
        if self._count > MOST_FILES:
            raise TooLarge(place.mark, _TOO_MANY)
        try:
            found = self._fetcher.fetch(place, scope)
        except Refused as refused:
            self._report.error(place.mark, "bad_include", str(refused))
            return None
        self.included.append(found.included)
        return File(found.name, found.text, place.inputs, place.mark, scope, found.scope)

    def _places(self, entry: Entry, scope: Scope, *, for_header: bool = False) -> Iterator[Location]:
        """All files that an `include` names and its rules admit, wildcards written out."""
        reader = LocationReader(
            self._report, lambda text: expand_existing(text, scope.known.expanded), self._fetcher.shown
        )
        before = self._report.error_count
        items = headers.items(entry.value)
        if len(items) > MOST_FILES:
            raise TooLarge(entry.value.mark, _TOO_MANY)
        read = [place for item in items for place in reader.read(item, for_header=for_header)]
        wanted = [place for place in read if self._is_wanted(place, scope)]
        self.is_complete = self.is_complete and self._report.error_count == before
        for place in wanted:
            yield from self._matching(place, scope)

    def _is_wanted(self, place: Location, scope: Scope) -> bool:
        if place.rules is None:
            return True
        admitted = rules.include_rules(self._report, place.rules, "include:rules") or ()
        rule = self._evaluator.first_match(admitted, scope.known, "include", scope.tree or _NO_FILES)
        return rule is not None and rule.when != "never"

    def _matching(self, place: Location, scope: Scope) -> list[Location]:
        """The place itself, or with a `*` in it all files that match."""
        if place.kind != "local" or "*" not in place.path or scope.tree is None:
            return [place]
        self._wildcards += 1
        if self._wildcards > MOST_WILDCARDS:
            raise TooLarge(place.mark, f"There are more than {MOST_WILDCARDS} includes with wildcards")
        found = fetching.matching(scope.tree, place.path)
        if not found:
            shown = self._fetcher.shown(place.path)
            self._report.warning(place.mark, "empty_include", f"Local file `{shown}` matches no file")
        return [fetching.at(place, path) for path in found]
