"""`only` and `except` (gitlab.md C.5)."""

from dataclasses import dataclass

from app.dialects.gitlab import expressions, patterns, values
from app.dialects.gitlab.expressions import Expression
from app.dialects.gitlab.files import Changes
from app.dialects.gitlab.nodes import Mapping, Node, Sequence
from app.dialects.gitlab.report import Report, quoted

_KEYS = ("refs", "variables", "changes", "kubernetes")
_PROBLEM = "should be an array of strings or regular expressions using re2 syntax"
_NEITHER = "has to be either an array of conditions or a hash"


@dataclass(frozen=True, slots=True)
class Policy:
    """What has to be (`only`) or must not be (`except`). In each field one match is enough; None: not said."""

    refs: tuple[str, ...] | None = None
    variables: tuple[Expression, ...] | None = None
    changes: Changes | None = None

    def joined(self, other: "Policy") -> "Policy":
        """What `other` says, and where it says nothing what this one does."""
        return Policy(
            self.refs if other.refs is None else other.refs,
            self.variables if other.variables is None else other.variables,
            self.changes if other.changes is None else other.changes,
        )


DEFAULT_ONLY = Policy(refs=("branches", "tags"))
NOTHING = Policy()


def policy(report: Report, node: Node, path: str) -> Policy | None:
    """A ref, a list of refs, or `{refs, variables, changes}`."""
    if not isinstance(node, Mapping):
        problem = f"config {_PROBLEM}" if isinstance(node, Sequence) else _NEITHER
        refs = _refs(report, node, path, problem)
        return None if refs is None else Policy(refs=refs)
    if not node.entries:
        values.refuse(report, node, path, "config can't be blank")
    values.check_keys(report, node, path, _KEYS)
    if "kubernetes" in node:
        mark = node.entries["kubernetes"].key_mark
        report.error(mark, "declined_keyword", f"{path}: `kubernetes` is declined: jobs run in Podman here")
    refs_node, variables, changes = node.get("refs"), node.get("variables"), node.get("changes")
    return Policy(
        refs=_refs(report, refs_node, path, f"refs {_PROBLEM}") if refs_node else None,
        variables=_variables(report, variables, path) if variables else None,
        changes=_changes(report, changes, path) if changes else None,
    )


def _refs(report: Report, node: Node, path: str, problem: str) -> tuple[str, ...] | None:
    found = values.text_or_texts(report, node, path, problem)
    for ref in found or ():
        try:
            patterns.slashed(ref.partition("@")[0])
        except patterns.InvalidPattern as wrong:
            values.refuse(report, node, path, f"{problem}: {quoted(ref)} is none: {wrong}")
    return found


def _changes(report: Report, node: Node, path: str) -> Changes | None:
    """A list of globs; the mapping that a rule may have is for rules alone."""
    globs = values.texts(report, node, path, "changes should be an array of strings")
    return None if globs is None else Changes(node.mark, globs)


def _variables(report: Report, node: Node, path: str) -> tuple[Expression, ...]:
    found = []
    for text in values.texts(report, node, path, "variables should be an array of strings") or ():
        try:
            found.append(expressions.parse(text))
        except expressions.InvalidExpression as wrong:
            values.refuse(report, node, path, f"variables invalid expression syntax in {quoted(text)}: {wrong}")
    return tuple(found)
