"""What a configuration asks for before it runs: the `spec:inputs` of its header, for forms and for texts that people
typed. Whether a value will do is said by the compiler (`inputs`).
"""

import json
from collections.abc import Mapping

from app.dialects.base import DeclaredInput
from app.dialects.gitlab import loader, nodes
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report

_KINDS: Mapping[str, tuple[type, ...]] = {"number": (int, float), "boolean": (bool,), "array": (list,)}


def declared_inputs(path: str, text: str) -> tuple[DeclaredInput, ...]:
    """The inputs of the file `path`, in the order written; none where it cannot be read."""
    documents = loader.load(text, path, Report()) or []
    header = documents[0] if len(documents) > 1 else None
    spec = header.get("spec") if isinstance(header, MappingNode) else None
    inputs = spec.get("inputs") if isinstance(spec, MappingNode) else None
    if not isinstance(inputs, MappingNode):
        return ()
    return tuple(_declared(name, nodes.to_plain(entry.value)) for name, entry in inputs.entries.items())


def _declared(name: str, body: object) -> DeclaredInput:
    found = body if isinstance(body, dict) else {}
    kind, options, description = found.get("type"), found.get("options"), found.get("description")
    return DeclaredInput(
        name,
        kind=kind if isinstance(kind, str) and kind in _KINDS else "string",
        required="default" not in found,
        default=found.get("default"),
        options=tuple(options) if isinstance(options, list) else (),
        description=description if isinstance(description, str) else "",
    )


def typed(declared: tuple[DeclaredInput, ...], given: Mapping[str, object]) -> dict[str, object]:
    """`given` with the texts of forms read as what was declared: "5" as a number, "[1, 2]" as a list.

    A text that is nothing of the kind stays one, so that the compiler can say so.
    """
    kinds = {each.name: each.kind for each in declared}
    return {name: _typed(kinds.get(name, "string"), value) for name, value in given.items()}


def _typed(kind: str, value: object) -> object:
    if not isinstance(value, str) or kind not in _KINDS:
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    fits = isinstance(read, _KINDS[kind]) and (kind == "boolean" or not isinstance(read, bool))
    return read if fits else value
