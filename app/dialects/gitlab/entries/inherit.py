"""`inherit`: which defaults and which global variables a job takes."""

from dataclasses import dataclass

from app.dialects.gitlab import keywords, values
from app.dialects.gitlab.nodes import Node, Scalar
from app.dialects.gitlab.report import Report

Choice = bool | frozenset[str]


@dataclass(frozen=True, slots=True)
class Inherit:
    """True: all; False: none; a set: those."""

    default: Choice = True
    variables: Choice = True


def inherit(report: Report, node: Node, path: str) -> Inherit | None:
    given = values.mapping(report, node, path, ("default", "variables"))
    if given is None:
        return None
    default, variables = given.get("default"), given.get("variables")
    chosen = _choice(report, default, f"{path}:default") if default else True
    if not isinstance(chosen, bool) and default and (unknown := chosen - set(keywords.DEFAULTS)):
        values.refuse(
            report, default, f"{path}:default", f"config contains unknown values: {', '.join(sorted(unknown))}"
        )
    return Inherit(chosen, _choice(report, variables, f"{path}:variables") if variables else True)


def _choice(report: Report, node: Node, path: str) -> Choice:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    return frozenset(values.texts(report, node, path, "should be a bool or array of strings") or ())


def takes(choice: Choice, key: str) -> bool:
    """Whether `key` is among what is taken."""
    return choice if isinstance(choice, bool) else key in choice
