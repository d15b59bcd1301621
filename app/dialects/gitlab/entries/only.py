"""`only` and `except` (gitlab.md C.5)."""

from dataclasses import dataclass

from app.dialects.gitlab import expressions, files, patterns, values
from app.dialects.gitlab.expressions import Expression
from app.dialects.gitlab.files import Changes
from app.dialects.gitlab.nodes import Mapping, Node
from app.dialects.gitlab.report import Report, quoted

_KEYS = ("refs", "variables", "changes", "kubernetes")
_PROBLEM = "config should be an array of strings or regexps"


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
        refs = _refs(report, node, path)
        return None if refs is None else Policy(refs=refs)
    values.check_keys(report, node, path, _KEYS)
    if "kubernetes" in node:
        mark = node.entries["kubernetes"].key_mark
        report.error(mark, "declined_keyword", f"{path}: `kubernetes` is declined: jobs run in Podman here")
    refs_node, variables, changes = node.get("refs"), node.get("variables"), node.get("changes")
    return Policy(
        refs=_refs(report, refs_node, f"{path}:refs") if refs_node else None,
        variables=_variables(report, variables, f"{path}:variables") if variables else None,
        changes=files.changes(report, changes, f"{path}:changes") if changes else None,
    )


def _refs(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    found = values.text_or_texts(report, node, path, _PROBLEM)
    for ref in found or ():
        try:
            patterns.slashed(ref.partition("@")[0])
        except patterns.InvalidPattern as wrong:
            values.refuse(report, node, path, f"{_PROBLEM}: {quoted(ref)} is no regexp: {wrong}")
    return found


def _variables(report: Report, node: Node, path: str) -> tuple[Expression, ...]:
    found = []
    for text in values.texts(report, node, path) or ():
        try:
            found.append(expressions.parse(text))
        except expressions.InvalidExpression as wrong:
            values.refuse(report, node, path, f"Invalid expression syntax in {quoted(text)}: {wrong}")
    return tuple(found)
