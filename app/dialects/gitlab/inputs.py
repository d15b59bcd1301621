"""`spec:inputs`: what a file may be given, and whether it was (gitlab.md C.0 step 2, C.1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.dialects.gitlab import nodes, patterns, values
from app.dialects.gitlab.nodes import Entry, Mark, Node, Sequence
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report, quoted

_TYPES = ("string", "number", "boolean", "array")
_KEYS = ("default", "description", "options", "regex", "type", "rules")


@dataclass(frozen=True, slots=True)
class _Spec:
    """One input as declared. `default` is a node, so that a list can be one; None: the input is required."""

    name: str
    mark: Mark
    kind: str = "string"
    default: Node | None = None
    options: tuple[object, ...] | None = None
    regex: str | None = None


def resolve(header: Node | None, given: Mapping[str, Node], mark: Mark, report: Report) -> dict[str, Node]:
    """The value of every input that `header` declares. `given`: what the includer or the caller says; `mark`: where."""
    specs = _specs(header, report)
    if unknown := [name for name in given if name not in specs]:
        names = ", ".join(quoted(name) for name in unknown)
        hint = report.did_you_mean(unknown[0], specs)
        text = f"unknown input arguments: {names}{hint}"
        if not specs:
            text = "Given inputs not defined in the `spec` section of the included configuration file"
        report.error(mark, "unknown_input", text)
    found: dict[str, Node] = {}
    for spec in specs.values():
        value = given.get(spec.name, spec.default)
        if value is None:
            message = f"`{quoted(spec.name)}` input: required value has not been provided"
            report.error(mark if mark.file != spec.mark.file else spec.mark, "missing_input", message)
        elif _fits(spec, value, "provided" if spec.name in given else "default", report):
            found[spec.name] = value
    return found


def _specs(header: Node | None, report: Report) -> dict[str, _Spec]:
    """The inputs that the header document declares."""
    spec = header.get("spec") if isinstance(header, MappingNode) else None
    checked_spec = values.mapping(report, spec, "spec", ("inputs",)) if spec else None
    inputs = checked_spec.get("inputs") if checked_spec else None
    if inputs is None:
        return {}
    if not isinstance(inputs, MappingNode):
        values.refuse(report, inputs, "spec:inputs", "config should be a hash")
        return {}
    return {name: _spec(report, name, entry) for name, entry in inputs.entries.items()}


def _spec(report: Report, name: str, entry: Entry) -> _Spec:
    path = f"spec:inputs:{quoted(name)}"
    if nodes.is_null(entry.value):
        return _Spec(name, entry.key_mark)
    node = values.mapping(report, entry.value, path, _KEYS)
    if node is None:
        return _Spec(name, entry.key_mark)
    if "rules" in node:
        report.error(node.entries["rules"].key_mark, "unsupported_keyword", f"{path}: `rules` is not supported yet")
    kind, options, regex = node.get("type"), node.get("options"), node.get("regex")
    default = node.entries.get("default")
    allowed = options.items if isinstance(options, Sequence) else ()
    if options is not None and not isinstance(options, Sequence):
        values.refuse(report, options, f"{path} options", "should be an array")
    return _Spec(
        name,
        entry.key_mark,
        kind=(values.one_of(report, kind, f"{path} type", _TYPES) or "string") if kind else "string",
        default=default.value if default else None,
        options=tuple(nodes.to_plain(item) for item in allowed) if options else None,
        regex=values.text(report, regex, f"{path} regex", "should be a string") if regex else None,
    )


def _fits(spec: _Spec, node: Node, which: str, report: Report) -> bool:
    """Whether a value is of the declared type, among the options and like the pattern."""
    plain = nodes.to_plain(node)
    problem = None
    if not _is_of(spec.kind, plain):
        article = "an" if spec.kind == "array" else "a"
        problem = f"{which} value is not {article} {spec.kind}"
    elif spec.options is not None and not any(
        plain == option and type(plain) is type(option) for option in spec.options
    ):
        problem = f"`{quoted(str(plain))}` cannot be used because it is not in the list of allowed options"
    elif spec.regex is not None and not _matches(spec.regex, str(plain)):
        problem = f"{which} value does not match required RegEx pattern"
    if problem:
        report.error(node.mark, "bad_input", f"`{quoted(spec.name)}` input: {problem}")
    return problem is None


def _is_of(kind: str, plain: object) -> bool:
    if kind == "boolean" or isinstance(plain, bool):
        return kind == "boolean" and isinstance(plain, bool)
    return isinstance(plain, {"string": (str,), "number": (int, float), "array": (list,)}[kind])


def _matches(regex: str, text: str) -> bool:
    try:
        search = patterns.slashed(regex) or patterns.searcher(regex)
        return search(text)
    except patterns.InvalidPattern:
        return False
