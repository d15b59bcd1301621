"""`inputs` of a job (gitlab.md C.2): each has a default, which whoever starts the job may replace."""

import json

from app.dialects.gitlab import nodes, patterns, values
from app.dialects.gitlab.nodes import Mapping, Node, Sequence
from app.dialects.gitlab.report import Report, quoted
from app.domain.job_inputs import KINDS, LONGEST, JobInput, problem

MOST_OPTIONS = 50
_KEYS = ("type", "default", "options", "regex", "description")


def job_inputs(report: Report, node: Node, path: str) -> tuple[JobInput, ...] | None:
    """The inputs in the order written; what is wrong is left out."""
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "config should be a hash")
        return None
    found = (_input(report, name, entry.value, f"{path}:{quoted(name)}") for name, entry in node.entries.items())
    return tuple(one for one in found if one)


def _input(report: Report, name: str, node: Node, path: str) -> JobInput | None:
    before = report.error_count
    given = values.mapping(report, node, path, _KEYS)
    if given is None:
        return None
    kind, description = given.get("type"), given.get("description")
    type_name = (values.known(report, kind, f"{path} input type", KINDS) if kind else None) or "string"
    if description is not None and values.variable_text(description) is None:
        values.refuse(report, description, path, "input description must be an alphanumeric string")
    options, regex = _options(report, given, path), _regex(report, given, path)
    default = given.get("default")
    if default is None:
        values.refuse(report, node, path, "must have a default value")
        return None
    plain = nodes.to_plain(default)
    wrong = problem(plain, type_name, options, regex, _matches) if report.error_count == before else None
    written = json.dumps(plain, ensure_ascii=False)
    if len(written) > LONGEST:
        wrong = f"is longer than {LONGEST} characters"
    if wrong:
        values.refuse(report, default, f"{path} default", wrong)
    return JobInput(
        name,
        written,
        kind=type_name,
        options=tuple(json.dumps(option, ensure_ascii=False) for option in options or ()),
        regex=regex,
        description=(values.variable_text(description) or "") if description else "",
    )


def _matches(regex: str, text: str) -> bool:
    return patterns.searcher(regex)(text)


def _options(report: Report, node: Mapping, path: str) -> list[object] | None:
    given = node.get("options")
    if given is None:
        return None
    if not isinstance(given, Sequence):
        values.refuse(report, given, f"{path} input options", "should be an array")
        return None
    if len(given.items) > MOST_OPTIONS:
        values.refuse(report, given, path, f"config cannot define more than {MOST_OPTIONS} options")
    found = [nodes.to_plain(item) for item in given.items]
    if None in found:
        values.refuse(report, given, path, "config options array cannot contain null values")
    return found


def _regex(report: Report, node: Mapping, path: str) -> str | None:
    given = node.get("regex")
    regex = values.text(report, given, f"{path} input regex", "should be a string") if given else None
    if given is None or regex is None:
        return None
    try:
        patterns.searcher(regex)
    except patterns.InvalidPattern as wrong:
        values.refuse(report, given, f"{path} input regex", f"is invalid: {wrong}")
        return None
    return regex
