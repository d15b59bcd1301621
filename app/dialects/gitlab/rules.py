"""Evaluating rules for one pipeline: the first that matches counts (gitlab.md C.4)."""

from collections.abc import Iterable, Mapping

from app.dialects.base import CompileContext
from app.dialects.gitlab.entries.rules import Rule
from app.dialects.gitlab.files import Changes, any_match
from app.dialects.gitlab.report import Report
from app.dialects.gitlab.variables import Known
from app.domain.variables import expand_existing


class RuleEvaluator:
    """Evaluates rules against what is known of a pipeline. `name`: whose rules they are, for messages.

    Raises what `Known.expanded` raises.
    """

    def __init__(self, context: CompileContext, report: Report) -> None:
        self._context = context
        self._report = report
        self._files: Mapping[str, str] | None = None

    def first_match(self, rules: Iterable[Rule], known: Known, name: str) -> Rule | None:
        """The first rule all of whose clauses hold with `known`, or None."""
        return next((rule for rule in rules if self._matches(rule, known, name)), None)

    def _matches(self, rule: Rule, known: Known, name: str) -> bool:
        return (
            (rule.condition is None or rule.condition.is_true(known.values))
            and (rule.changes is None or self.changed(rule.changes, known, name))
            and (rule.exists is None or any_match(self._all_files(), rule.exists, known.expanded))
        )

    def changed(self, changes: Changes, known: Known, name: str) -> bool:
        """Whether a file of `changes` changed. Where nobody knows what changed, everything may have."""
        changed = self._context.changed_files
        if changes.compare_to is not None:
            changed = self._changed_since(expand_existing(changes.compare_to, known.expanded), changes, name)
        return changed is None or any_match(changed, changes.paths, known.expanded)

    def _changed_since(self, ref: str, changes: Changes, name: str) -> frozenset[str] | None:
        if self._context.changes_since is None:
            return None
        try:
            return self._context.changes_since(ref)
        except ValueError:
            message = f"Failed to parse rule for {name}: rules:changes:compare_to is not a valid ref"
            self._report.error(changes.mark, "unknown_ref", message)
            return None

    def _all_files(self) -> Mapping[str, str]:
        if self._files is None:
            self._files = self._context.list_files()
        return self._files
