"""Evaluating rules for one pipeline: the first that matches counts (gitlab.md C.4)."""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from app.dialects.base import CompileContext
from app.dialects.gitlab.entries.rules import Rule
from app.dialects.gitlab.files import MOST_COMPARISONS, Changes, Exists, any_changed, any_exists, any_found
from app.dialects.gitlab.nodes import Mark
from app.dialects.gitlab.path_patterns import LONGEST
from app.dialects.gitlab.patterns import InvalidPattern
from app.dialects.gitlab.report import Report
from app.dialects.gitlab.variables import Known, masked
from app.dialects.sources import Tree, Unavailable, UnknownProject, UnknownRef
from app.domain.errors import LimitExceeded
from app.domain.variables import expand_existing

MOST_STEPS = 500_000
MOST_COMPARISONS_IN_ALL = 10_000_000


_Matches = Callable[[Collection[str], tuple[str, ...]], bool]


class _Place(NamedTuple):
    """A clause, for messages: of the rules of `name`."""

    mark: Mark
    clause: str
    name: str


class RuleEvaluator:
    """Evaluates rules against what is known of a pipeline. `name`: whose rules they are, for messages.

    `tree`: whose files `exists` asks for; the pipeline's own commit, where nothing else is said.
    Raises what `Known.expanded` raises, and LimitExceeded when there is too much to compare in all.
    """

    def __init__(self, context: CompileContext, report: Report) -> None:
        self._context = context
        self._report = report
        self._steps_left = MOST_STEPS
        self._comparisons_left = MOST_COMPARISONS_IN_ALL
        self._since: dict[str, frozenset[str] | None] = {}
        self._answers: dict[tuple[str, tuple[str, ...] | str], bool] = {}
        self._own = Tree(context.project_path, context.sha, context.read_file, context.list_files)
        self._trees: dict[tuple[str, str | None], Tree | None] = {}

    def first_match(self, rules: Iterable[Rule], known: Known, name: str, tree: Tree | None = None) -> Rule | None:
        """The first rule all of whose clauses hold with `known`, or None."""
        return next((rule for rule in rules if self._matches(rule, known, name, tree or self._own)), None)

    def _matches(self, rule: Rule, known: Known, name: str, tree: Tree) -> bool:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise LimitExceeded(f"More than {MOST_STEPS} rules have to be looked at for all jobs", MOST_STEPS)
        return (
            (rule.condition is None or rule.condition.is_true(known.values))
            and (rule.changes is None or self.changed(rule.changes, known, name))
            and (rule.exists is None or self._exists(rule.exists, known, name, tree))
        )

    def changed(self, changes: Changes, known: Known, name: str) -> bool:
        """Whether a file of `changes` changed. Where nobody knows what changed, everything may have."""
        source, changed = "changed", self._context.changed_files
        if changes.compare_to is not None:
            ref = expand_existing(changes.compare_to, known.expanded)
            source, changed = f"since {ref}", self._changed_since(ref, changes, name)
        if changed is None:
            return True
        if changes.regexp is not None:
            return self._is_found(source, changed, changes.regexp, known, _Place(changes.mark, "changes", name))
        return self._any_match(source, changed, changes.paths, known, any_changed)

    def _changed_since(self, ref: str, changes: Changes, name: str) -> frozenset[str] | None:
        if self._context.changes_since is None:
            return None
        try:
            if ref not in self._since:
                self._since[ref] = self._context.changes_since(ref)
            return self._since[ref]
        except ValueError:
            message = f"Failed to parse rule for {name}: rules:changes:compare_to is not a valid ref"
            self._report.error(changes.mark, "unknown_ref", message)
            return None

    def _exists(self, exists: Exists, known: Known, name: str, tree: Tree) -> bool:
        if exists.project is not None:
            found = self._tree(exists, known, name)
            if found is None:
                return False
            tree = found
        source = f"files of {tree.sha} in {tree.project}"
        if exists.regexp is not None:
            place = _Place(exists.mark, "exists", name)
            return self._is_found(source, tree.list_files(), exists.regexp, known, place)
        return self._any_match(source, tree.list_files(), exists.paths, known, any_exists)

    def _tree(self, exists: Exists, known: Known, name: str) -> Tree | None:
        """The files of another project, looked up once; a problem is reported."""
        project = expand_existing(exists.project or "", known.expanded)
        ref = expand_existing(exists.ref, known.expanded) if exists.ref is not None else None
        if (project, ref) not in self._trees:
            self._trees[project, ref] = self._look_up(project, ref, exists, name)
        return self._trees[project, ref]

    def _look_up(self, project: str, ref: str | None, exists: Exists, name: str) -> Tree | None:
        shown, shown_ref = (masked(text, self._context) for text in (project, ref or ""))
        try:
            return self._context.sources.tree(project, ref, anonymous=False)
        except UnknownProject:
            problem = f"rules:exists:project `{shown}` is not a valid project path"
        except UnknownRef:
            problem = f"rules:exists:ref `{shown_ref}` is not a valid ref in project `{shown}`"
        except Unavailable as wrong:
            problem = f"rules:exists:project: {wrong}"
        self._report.error(exists.mark, "unknown_project", f"Failed to parse rule for {name}: {problem}")
        return None

    def _any_match(
        self, source: str, paths: Collection[str], globs: tuple[str, ...], known: Known, matches: _Matches
    ) -> bool:
        """Whether any of the paths from `source` matches; each question is answered once."""
        expanded = tuple(expand_existing(glob, known.expanded) for glob in globs)
        question = (source, expanded)
        if question not in self._answers:
            self._count(len(paths) * len(expanded))
            self._answers[question] = matches(paths, expanded)
        return self._answers[question]

    def _is_found(self, source: str, paths: Collection[str], regexp: str, known: Known, place: _Place) -> bool:
        """Whether the pattern `regexp` is found in any of the paths from `source`; else, or with a problem, False."""
        expanded = expand_existing(regexp, known.expanded)
        problem = f"is too long (maximum is {LONGEST} characters after variable expansion)"
        question = (source, expanded)
        try:
            if len(expanded) <= LONGEST:
                if question not in self._answers:
                    self._count(len(paths))
                    self._answers[question] = any_found(paths, expanded)
                return self._answers[question]
        except InvalidPattern as wrong:
            problem = f"is invalid: {masked(str(wrong), self._context)}"
        message = f"Failed to parse rule for {place.name}: rules:{place.clause}:regexp {problem}"
        self._report.error(place.mark, "bad_pattern", message)
        return False

    def _count(self, comparisons: int) -> None:
        self._comparisons_left -= min(comparisons, MOST_COMPARISONS)
        if self._comparisons_left < 0:
            message = "The globs of all rules have to be held against too many files"
            raise LimitExceeded(message, MOST_COMPARISONS_IN_ALL)
