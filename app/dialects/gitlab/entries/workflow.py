"""`workflow`: whether there is a pipeline at all, its name, and what cancels it."""

from dataclasses import dataclass

from app.dialects.gitlab import values
from app.dialects.gitlab.entries import rules
from app.dialects.gitlab.entries.rules import AutoCancel, Rule
from app.dialects.gitlab.nodes import Node
from app.dialects.gitlab.report import Report

LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Workflow:
    """`rules` None: there is a pipeline for everything."""

    name: str | None = None
    rules: tuple[Rule, ...] | None = None
    auto_cancel: AutoCancel | None = None


def _name(report: Report, node: Node) -> str | None:
    if values.is_text(node) and not node.value:
        values.refuse(report, node, "workflow name", "is too short (minimum is 1 character)")
        return None
    return values.text(report, node, "workflow name", "should be a string")


def workflow(report: Report, node: Node) -> Workflow:
    given = values.mapping(report, node, "workflow", ("name", "rules", "auto_cancel"))
    if given is None:
        return Workflow()
    name, own, cancel = given.get("name"), given.get("rules"), given.get("auto_cancel")
    text = _name(report, name) if name else None
    if name and text and len(text) > LONGEST_NAME:
        values.refuse(report, name, "workflow name", f"is too long (maximum is {LONGEST_NAME} characters)")
    return Workflow(
        text,
        rules.workflow_rules(report, own, "workflow:rules") if own else None,
        rules.auto_cancel(report, cancel, "workflow:auto_cancel") if cancel else None,
    )
