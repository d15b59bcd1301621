"""`inputs` of a job: values that `${{ job.inputs.name }}` stands for in what the runner is told (gitlab.md C.2).

Every input has a default, and that is its value here: nobody is asked for another one when a job is started.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from app.dialects.gitlab import nodes, patterns, values
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.nodes import Node, Sequence
from app.dialects.gitlab.report import Report, quoted

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}
_KEYS = ("type", "default", "options", "regex", "description")
_BLOCK = re.compile(r"\$\{\{\s*job\.inputs\.([A-Za-z0-9_-]+)\s*\}\}")
#: What an input may stand in: what the runner is told of how to run the job.
_FILLED = ("steps", "image", "services", "artifacts", "cache")


def job_inputs(report: Report, node: Node, path: str) -> dict[str, str] | None:
    """The value of each input as a text."""
    if not isinstance(node, MappingNode):
        values.refuse(report, node, path, "config should be a hash")
        return None
    found = {name: _value(report, entry.value, f"{path}:{quoted(name)}") for name, entry in node.entries.items()}
    return {name: text for name, text in found.items() if text is not None}


def _value(report: Report, node: Node, path: str) -> str | None:
    given = values.mapping(report, node, path, _KEYS)
    if given is None:
        return None
    kind = given.get("type")
    type_name = (values.one_of(report, kind, f"{path} type", _TYPES) if kind else None) or "string"
    entry = given.entries.get("default")
    if entry is None:
        values.refuse(report, node, path, "default can't be blank: every input of a job needs one")
        return None
    plain = nodes.to_plain(entry.value)
    problem = _problem(report, given, path, type_name, plain)
    if problem:
        values.refuse(report, entry.value, f"{path} default", problem)
        return None
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _problem(report: Report, node: MappingNode, path: str, kind: str, plain: object) -> str | None:
    """What is wrong with the default `plain`."""
    options, regex = node.get("options"), node.get("regex")
    if isinstance(plain, bool) != (kind == "boolean") or not isinstance(plain, _TYPES[kind]):
        return f"is not {'an' if kind == 'array' else 'a'} {kind}"
    if options is not None and not isinstance(options, Sequence):
        values.refuse(report, options, f"{path} options", "should be an array")
    elif isinstance(options, Sequence) and plain not in [nodes.to_plain(item) for item in options.items]:
        return "is not in the list of allowed options"
    pattern = values.text(report, regex, f"{path} regex", "should be a string") if regex else None
    return None if pattern is None or _matches(pattern, str(plain)) else "does not match required RegEx pattern"


def _matches(regex: str, text: str) -> bool:
    try:
        return (patterns.slashed(regex) or patterns.searcher(regex))(text)
    except patterns.InvalidPattern:
        return False


def fill(plan: dict[str, Any], known: Mapping[str, str], unknown: set[str]) -> dict[str, Any]:
    """`plan`, a job's plan as JSON, with its inputs filled in. Names that are not `known` stay, and go to `unknown`."""

    def text(match: re.Match[str]) -> str:
        if match[1] not in known:
            unknown.add(match[1])
        return known.get(match[1], match[0])

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return _BLOCK.sub(text, value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        return {key: walk(item) for key, item in value.items()} if isinstance(value, dict) else value

    return plan | {key: walk(plan[key]) for key in _FILLED if key in plan}
