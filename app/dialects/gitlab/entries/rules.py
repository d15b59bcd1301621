"""`rules` of a job, of `workflow` and of `include`: read here, evaluated by `app.dialects.gitlab.rules`."""

from dataclasses import dataclass

from app.dialects.gitlab import expressions, files, values
from app.dialects.gitlab.entries import needs, scripts, variables
from app.dialects.gitlab.entries.needs import NeedConfig
from app.dialects.gitlab.expressions import Expression
from app.dialects.gitlab.files import Changes, Exists
from app.dialects.gitlab.nodes import Mapping, Mark, Node, Sequence
from app.dialects.gitlab.report import Report
from app.domain.plan import Variable

JOB_WHENS = ("on_success", "on_failure", "always", "never", "manual", "delayed")
WORKFLOW_WHENS = ("always", "never")
_CLAUSES = ("if", "changes", "exists", "when")
_JOB_KEYS = (*_CLAUSES, "start_in", "allow_failure", "variables", "needs", "interruptible")
_WORKFLOW_KEYS = (*_CLAUSES, "variables", "auto_cancel", "start_in", "allow_failure", "needs")
_NESTING = 10
_BOOLEAN = "should be a boolean value"


@dataclass(frozen=True, slots=True)
class AutoCancel:
    """`workflow:auto_cancel`; None: not said."""

    on_new_commit: str | None = None
    on_job_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its clauses, all of which have to hold, and what it says. None: not said."""

    mark: Mark
    condition: Expression | None = None
    changes: Changes | None = None
    exists: Exists | None = None
    when: str | None = None
    start_in: int | None = None
    allow_failure: bool | None = None
    variables: tuple[Variable, ...] = ()
    needs: tuple[NeedConfig, ...] | None = None
    interruptible: bool | None = None
    auto_cancel: AutoCancel | None = None

    @property
    def is_bare(self) -> bool:
        """Whether the rule says `when` at most."""
        return self == Rule(mark=self.mark, when=self.when)


def job_rules(report: Report, node: Node, path: str) -> tuple[Rule, ...] | None:
    """The rules of a job, lists in lists made flat."""
    return _rules(report, node, path, _JOB_KEYS, JOB_WHENS)


def workflow_rules(report: Report, node: Node, path: str) -> tuple[Rule, ...] | None:
    return _rules(report, node, path, _WORKFLOW_KEYS, WORKFLOW_WHENS)


def include_rules(report: Report, node: Node, path: str) -> tuple[Rule, ...] | None:
    return _rules(report, node, path, _CLAUSES, WORKFLOW_WHENS)


def _rules(
    report: Report, node: Node, path: str, keys: tuple[str, ...], whens: tuple[str, ...]
) -> tuple[Rule, ...] | None:
    items = _flatten(node, _NESTING)
    if items is None:
        values.refuse(report, node, path, "config should be an array containing hashes and arrays of hashes")
        return None
    if not items:
        values.refuse(report, node, path, "config can't be blank")
        return None
    found = (_rule(report, item, f"{path}:rule", keys, whens) for item in items)
    return tuple(rule for rule in found if rule)


def _flatten(node: Node, levels: int) -> list[Node] | None:
    if not isinstance(node, Sequence):
        return None
    found: list[Node] = []
    for item in node.items:
        inner = _flatten(item, levels - 1) if isinstance(item, Sequence) and levels > 1 else None
        if inner is None and isinstance(item, Sequence):
            return None
        found += [item] if inner is None else inner
    return found


def _rule(report: Report, node: Node, path: str, keys: tuple[str, ...], whens: tuple[str, ...]) -> Rule | None:
    if not isinstance(node, Mapping) or not node.entries:
        problem = "config can't be blank" if isinstance(node, Mapping) else "config should be a hash"
        values.refuse(report, node, path, problem)
        return None
    values.check_keys(report, node, path, keys)
    changes, exists, when = node.get("changes"), node.get("exists"), node.get("when")
    rule = Rule(
        mark=node.mark,
        condition=condition(report, node, path),
        changes=files.changes(report, changes, f"{path}:changes") if changes else None,
        exists=files.exists(report, exists, f"{path}:exists") if exists else None,
        when=values.known(report, when, f"{path} when", whens) if when else None,
        **_attributes(report, node, path, keys),
    )
    _check_delay(report, node, path, keys, rule)
    return rule


def condition(report: Report, node: Mapping, path: str) -> Expression | None:
    """The `if` of a rule. A value that cannot be used makes an error, and then a rule without the clause."""
    given = node.get("if")
    if given is None:
        return None
    if not values.is_text(given):
        values.refuse(report, given, path, "if invalid expression syntax: it should be a string")
        return None
    try:
        return expressions.parse(str(given.value))
    except expressions.InvalidExpression as wrong:
        values.refuse(report, given, path, f"if invalid expression syntax: {wrong}")
        return None


def _attributes(report: Report, node: Mapping, path: str, keys: tuple[str, ...]) -> dict:
    """What a rule says beside its clauses. In `workflow` some keys are let through and mean nothing, as in GitLab."""
    if all(key in _CLAUSES for key in node.entries):
        return {}
    found: dict = {}
    own = node.get("variables")
    if own is not None:
        found["variables"] = variables.variables(report, own, f"{path}:variables") or ()
    if keys == _WORKFLOW_KEYS:
        cancel = node.get("auto_cancel")
        return found | ({"auto_cancel": auto_cancel(report, cancel, f"{path}:auto_cancel")} if cancel else {})
    allowed, delay, needed, interruptible = (
        node.get(key) for key in ("allow_failure", "start_in", "needs", "interruptible")
    )
    if allowed is not None:
        found["allow_failure"] = values.boolean(report, allowed, f"{path} allow failure", _BOOLEAN)
    if delay is not None:
        found["start_in"] = scripts.start_in(report, delay, f"{path} start in")
    if needed is not None:
        found["needs"] = needs.needs(report, needed, f"{path}:needs")
    if interruptible is not None:
        found["interruptible"] = values.boolean(report, interruptible, f"{path} interruptible", _BOOLEAN)
    return found


def _check_delay(report: Report, node: Mapping, path: str, keys: tuple[str, ...], rule: Rule) -> None:
    if rule.when == "delayed" and "start_in" not in node:
        values.refuse(report, node, path, "start in can't be blank: it should be a duration")
    if "start_in" in node and keys == _JOB_KEYS and rule.when != "delayed":
        mark = node.entries["start_in"].key_mark
        report.error(mark, values.INVALID, f"{path} config contains disallowed keys: start_in")


def auto_cancel(report: Report, node: Node, path: str) -> AutoCancel | None:
    """`{on_new_commit, on_job_failure}`."""
    given = values.mapping(report, node, path, ("on_new_commit", "on_job_failure"))
    if given is None:
        return None
    commit, failure = given.get("on_new_commit"), given.get("on_job_failure")
    commits = ("conservative", "none", "interruptible")
    return AutoCancel(
        values.one_of(report, commit, f"{path} on new commit", commits, "must be") if commit else None,
        values.one_of(report, failure, f"{path} on job failure", ("none", "all"), "must be") if failure else None,
    )
