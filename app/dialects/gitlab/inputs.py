"""`spec:inputs`: what a file may be given, and whether it was (gitlab.md C.0 step 2, C.1)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.dialects.gitlab import expressions, nodes, patterns, scalars, values
from app.dialects.gitlab.nodes import Entry, Mark, Node, Sequence
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.report import Report, quoted

TYPES = ("array", "boolean", "number", "string")
MOST_OPTIONS = 50
_LONGEST_JSON = 64 * 1024
_KEYS = ("default", "description", "options", "regex", "type", "rules")
_RULE_KEYS = ("if", "options", "default")
_NOT_IN_LIST = "cannot be used because it is not in the list of"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an input may be, and what it is when it is not given, where `condition` holds for the inputs before it."""

    condition: expressions.Expression | None
    options: tuple[object, ...] | None
    has_default: bool
    default: object = None


@dataclass(frozen=True, slots=True)
class Spec:
    """One input as declared. Without `has_default`, and without rules that have one, it is required."""

    name: str
    mark: Mark
    kind: str = "string"
    has_default: bool = False
    default: object = None
    options: tuple[object, ...] | None = None
    regex: str | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def is_required(self) -> bool:
        return not self.has_default and not any(rule.has_default or rule.condition is None for rule in self.rules)


def spec(report: Report, name: str, entry: Entry) -> Spec:
    """The declaration of the input `name`."""
    path = f"header:spec:inputs:{quoted(name)}"
    if nodes.is_null(entry.value):
        return Spec(name, entry.key_mark)
    node = values.mapping(report, entry.value, path, _KEYS)
    if node is None:
        return Spec(name, entry.key_mark)
    for other in ("options", "default"):
        if "rules" in node and other in node:
            problem = f"config please use only one of the following keys: rules, {other}"
            report.error(node.entries["rules"].key_mark, values.INVALID, f"{path} {problem}")
    kind, regex, default = node.get("type"), node.get("regex"), node.entries.get("default")
    _check_description(report, node, path)
    return Spec(
        name,
        entry.key_mark,
        kind=_kind(report, kind, path) if kind else "string",
        has_default=default is not None,
        default=nodes.to_plain(default.value) if default else None,
        options=_options(report, node, path),
        regex=values.text(report, regex, f"{path} input regex", "should be a string") if regex else None,
        rules=_rules(report, node, path),
    )


def _check_description(report: Report, node: MappingNode, path: str) -> None:
    given = node.get("description")
    if given is not None and values.variable_text(given) is None:
        values.refuse(report, given, path, "input description must be an alphanumeric string")


def _kind(report: Report, node: Node, path: str) -> str:
    name = node.value if isinstance(node, nodes.Scalar) else None
    if name in TYPES:
        return str(name)
    hint = report.did_you_mean(str(name), TYPES)
    values.refuse(report, node, path, f"input type unknown value: {quoted(str(name))}{hint}")
    return "string"


def _options(report: Report, node: MappingNode, path: str) -> tuple[object, ...] | None:
    given = node.get("options")
    if given is None:
        return None
    if not isinstance(given, Sequence):
        values.refuse(report, given, path, "input options should be an array")
        return None
    if len(given.items) > MOST_OPTIONS:
        values.refuse(report, given, path, f"config cannot define more than {MOST_OPTIONS} options")
    if any(nodes.is_null(item) for item in given.items):
        values.refuse(report, given, path, "config options array cannot contain null values")
    return tuple(nodes.to_plain(item) for item in given.items)


def _rules(report: Report, node: MappingNode, path: str) -> tuple[Rule, ...]:
    given = node.get("rules")
    if given is None:
        return ()
    if not isinstance(given, Sequence) or not given.items:
        values.refuse(report, given, f"{path}:rules", "config should be an array of hashes")
        return ()
    found = (_rule(report, item, f"{path}:rules:rule") for item in given.items)
    return tuple(rule for rule in found if rule)


def _rule(report: Report, item: Node, path: str) -> Rule | None:
    node = values.mapping(report, item, path, _RULE_KEYS)
    if node is None:
        return None
    condition, options, default = node.get("if"), _options(report, node, path), node.entries.get("default")
    if condition is not None and options is None and default is None:
        values.refuse(report, node, path, "config rule with 'if' must define 'options' or 'default'")
    if condition is None and options is None:
        values.refuse(report, node, path, "config fallback rule must define 'options'")
    expression = _condition(report, condition, path) if condition else None
    return Rule(expression, options, default is not None, nodes.to_plain(default.value) if default else None)


def _condition(report: Report, node: Node, path: str) -> expressions.Expression | None:
    if not values.is_text(node):
        values.refuse(report, node, path, "if should be a string")
        return None
    try:
        return expressions.parse(str(node.value))
    except expressions.InvalidExpression as wrong:
        values.refuse(report, node, path, f"if invalid expression syntax: {wrong}")
        return None


def resolve(
    specs: Mapping[str, Spec], given: Mapping[str, Node], mark: Mark, of: str, report: Report
) -> dict[str, object]:
    """The value of every input. `given`: what the includer or the caller says; `mark`: where it says so.

    What is wrong is reported, after `of`, and left out. Rules of an input see what is given and the inputs declared
    before it.
    """
    if unknown := [name for name in given if name not in specs]:
        hint = report.did_you_mean(unknown[0], specs)
        names = ", ".join(quoted(name) for name in unknown)
        report.error(mark, "unknown_input", f"{of}unknown input arguments: {names}{hint}")
    found: dict[str, object] = {}
    known = {name: nodes.to_plain(node) for name, node in given.items()}
    for declared in specs.values():
        node = given.get(declared.name)
        place = node.mark if node else mark if mark.file != declared.mark.file else declared.mark
        _Input(declared, place, of, report).resolve(known.get(declared.name), known, found)
    return found


class _Input:
    """One input that is being given its value."""

    def __init__(self, declared: Spec, mark: Mark, of: str, report: Report) -> None:
        self._spec = declared
        self._mark = mark
        self._of = of
        self._report = report

    def resolve(self, given: object, known: Mapping[str, object], found: dict[str, object]) -> None:
        """Put the value into `found`, unless it does not fit. `given` None: it was not given."""
        declared, before = self._spec, self._report.error_count
        if given is None and declared.is_required:
            self._refuse("required value has not been provided", "missing_input")
            return
        rule = self._matching({**known, **found})
        default = rule.default if rule and rule.has_default else declared.default
        options = rule.options if rule and rule.options is not None else declared.options
        if declared.has_default or (rule and rule.has_default):
            self._check(self._coerced(default), options, "default")
        value = self._coerced(default if given is None else given)
        if given is not None:
            self._check(value, options, "provided")
        if self._report.error_count == before:
            found[declared.name] = value

    def _matching(self, known: Mapping[str, object]) -> Rule | None:
        """The first rule whose condition holds."""
        if not self._spec.rules:
            return None
        variables = {f"{expressions.INPUTS}.{name}": expressions.as_value(value) for name, value in known.items()}
        rules = self._spec.rules
        return next((rule for rule in rules if rule.condition is None or rule.condition.is_true(variables)), None)

    def _coerced(self, value: object) -> object:
        """A value for a string as its text; a text for anything else as what it would be in JSON, if it is that."""
        if self._spec.kind != "string":
            return _from_json(value) if isinstance(value, str) else value
        if value is None:
            return ""
        return scalars.as_text(value) if isinstance(value, bool | int | float) else value

    def _check(self, value: object, options: tuple[object, ...] | None, which: str) -> None:
        """Report it when the value is not of the declared type, not among the options or not like the pattern."""
        kind = self._spec.kind
        if not _FITS[kind](value):
            self._refuse(f"{which} value is not {'an' if kind == 'array' else 'a'} {kind}")
            return
        if options is not None:
            self._check_options(value, options)
        if self._spec.regex is not None:
            self._check_regex(value, self._spec.regex, which)

    def _check_options(self, value: object, options: tuple[object, ...]) -> None:
        if isinstance(value, bool):
            self._refuse("Options can only be used with string and number inputs")
        elif isinstance(value, list):
            allowed = {json.dumps(option) for option in options}
            if wrong := [item for item in value if json.dumps(item) not in allowed]:
                self._refuse(f"{quoted(', '.join(map(str, wrong)))} {_NOT_IN_LIST} allowed options")
        elif isinstance(value, str):
            if value not in [scalars.as_text(option) for option in options if isinstance(option, str | int | float)]:
                self._refuse(f"`{quoted(value)}` {_NOT_IN_LIST} allowed options")
        elif not any(value == option and not isinstance(option, bool) for option in options):
            self._refuse(f"`{value}` {_NOT_IN_LIST} the allowed options")

    def _check_regex(self, value: object, regex: str, which: str) -> None:
        if not isinstance(value, str):
            self._refuse("RegEx validation can only be used with string inputs")
            return
        try:
            if not patterns.searcher(regex)(value):
                self._refuse(f"{which} value does not match required RegEx pattern")
        except patterns.InvalidPattern:
            self._refuse("invalid regular expression")

    def _refuse(self, problem: str, code: str = "bad_input") -> None:
        self._report.error(self._mark, code, f"{self._of}`{quoted(self._spec.name)}` input: {problem}")


_FITS: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
}


def _from_json(text: str) -> object:
    """What `text` is in JSON, or the text itself when it is none."""
    if len(text) > _LONGEST_JSON:
        return text
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
