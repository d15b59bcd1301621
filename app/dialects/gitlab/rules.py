"""Evaluating rules for one pipeline: the first that matches counts (gitlab.md C.4)."""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from app.dialects.base import CompileContext
from app.dialects.gitlab.entries.rules import Rule
from app.dialects.gitlab.files import MOST_COMPARISONS, Changes, any_match
from app.dialects.gitlab.report import Report
from app.dialects.gitlab.variables import Known
from app.domain.errors import LimitExceeded
from app.domain.variables import expand_existing

MOST_STEPS = 500_000
MOST_COMPARISONS_IN_ALL = 10_000_000


class RuleEvaluator:
    """Evaluates rules against what is known of a pipeline. `name`: whose rules they are, for messages.

    Raises what `Known.expanded` raises, and LimitExceeded when there is too much to compare in all.
    """

    def __init__(self, context: CompileContext, report: Report) -> None:
        self._context = context
        self._report = report
        self._steps_left = MOST_STEPS
        self._comparisons_left = MOST_COMPARISONS_IN_ALL
        self._since: dict[str, frozenset[str] | None] = {}
        self._answers: dict[tuple[str, tuple[str, ...]], bool] = {}

    def first_match(self, rules: Iterable[Rule], known: Known, name: str) -> Rule | None:
        """The first rule all of whose clauses hold with `known`, or None."""
        return next((rule for rule in rules if self._matches(rule, known, name)), None)

    def _matches(self, rule: Rule, known: Known, name: str) -> bool:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise LimitExceeded(f"More than {MOST_STEPS} rules have to be looked at for all jobs", MOST_STEPS)
        return (
            (rule.condition is None or rule.condition.is_true(known.values))
            and (rule.changes is None or self.changed(rule.changes, known, name))
            and (rule.exists is None or self._any_match("files", self._files, rule.exists, known))
        )

    def changed(self, changes: Changes, known: Known, name: str) -> bool:
        """Whether a file of `changes` changed. Where nobody knows what changed, everything may have."""
        source, changed = "changed", self._context.changed_files
        if changes.compare_to is not None:
            ref = expand_existing(changes.compare_to, known.expanded)
            source, changed = f"since {ref}", self._changed_since(ref, changes, name)
        return changed is None or self._any_match(source, changed, changes.paths, known)

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

    def _any_match(self, source: str, paths: Collection[str], globs: tuple[str, ...], known: Known) -> bool:
        """Whether any of the paths from `source` matches; each question is answered once."""
        expanded = tuple(expand_existing(glob, known.expanded) for glob in globs)
        question = (source, expanded)
        if question not in self._answers:
            self._comparisons_left -= min(len(paths) * len(expanded), MOST_COMPARISONS)
            if self._comparisons_left < 0:
                message = "The globs of all rules have to be held against too many files"
                raise LimitExceeded(message, MOST_COMPARISONS_IN_ALL)
            self._answers[question] = any_match(paths, expanded)
        return self._answers[question]

    @cached_property
    def _files(self) -> Mapping[str, str]:
        return self._context.list_files()
