"""The header document of a file: `spec`, with the inputs and the component's own data that the file may use (C.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.dialects.gitlab import inputs, nodes, values
from app.dialects.gitlab.inputs import Spec
from app.dialects.gitlab.nodes import Entry, Node, Sequence
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report, quoted

COMPONENT_DATA = ("name", "sha", "version", "reference")
_SPEC_KEYS = ("inputs", "include", "component")


@dataclass(frozen=True, slots=True)
class Header:
    """Which inputs there are, and which of COMPONENT_DATA the file asks for."""

    inputs: Mapping[str, Spec] = field(default_factory=dict)
    component: tuple[str, ...] = ()


def read(node: MappingNode, include: Callable[[Entry], list[MappingNode]], report: Report) -> Header:
    """The header in `node`. `include` gives the files that a `spec:include` names; each may only hold `inputs`."""
    values.check_keys(report, node, "header", ("spec",))
    given = node.get("spec")
    spec = values.mapping(report, given, "header:spec", _SPEC_KEYS) if given else None
    if spec is None:
        return Header()
    included = include(spec.entries["include"]) if spec.get("include") else []
    return Header(_inputs(spec, included, report), _component(spec.get("component"), report))


def _inputs(spec: MappingNode, included: list[MappingNode], report: Report) -> dict[str, Spec]:
    """All inputs that are declared, here and in the files included; none may be declared twice."""
    found: dict[str, Spec] = {}
    twice: dict[str, None] = {}
    for place in (*included, spec):
        node = place.get("inputs")
        if node is None:
            continue
        if not isinstance(node, MappingNode):
            values.refuse(report, node, "header:spec:inputs", "config should be a hash")
            continue
        twice |= dict.fromkeys(name for name in node.entries if name in found)
        found |= {name: inputs.spec(report, name, entry) for name, entry in node.entries.items()}
    if twice:
        message = (
            f"Duplicate input keys found: {', '.join(quoted(name) for name in twice)}. "
            "Input keys must be unique across all included files and inline specifications."
        )
        report.error(spec.mark, "duplicate_input", message)
    return found


def _component(node: Node | None, report: Report) -> tuple[str, ...]:
    if node is None:
        return ()
    path = "header:spec:component"
    names = values.texts(report, node, path, "config should be an array of strings") or ()
    if unknown := [name for name in names if name not in COMPONENT_DATA]:
        values.refuse(report, node, path, f"config contains unknown values: {', '.join(map(quoted, unknown))}")
    return tuple(name for name in names if name in COMPONENT_DATA)


def check_only_inputs(node: MappingNode, file: str, report: Report) -> None:
    """Report what a file of a `spec:include` holds beside `inputs`."""
    if unknown := [key for key in node.entries if key != "inputs"]:
        names = ", ".join(f":{quoted(key)}" for key in unknown)
        message = f"Header include file `{file}` contains unknown keys: [{names}]"
        report.error(node.entries[unknown[0]].key_mark, "unknown_keyword", message)


def items(node: Node) -> tuple[Node, ...]:
    """What an `include` holds: one thing, or the items of a list that are not null."""
    found = node.items if isinstance(node, Sequence) else (node,)
    return tuple(item for item in found if not nodes.is_null(item))
