"""`variables`, of the whole configuration and of a job."""

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Entry, Mapping, Node
from app.dialects.gitlab.report import Report, quoted
from app.domain.plan import Variable

MOST_VARIABLES = 1000
_LONGEST_KEY = 255
_JOB_KEYS = ("value", "expand")
_GLOBAL_KEYS = ("value", "description", "options", "expand")
_BOOLEAN = "should be a boolean value"


def variables(report: Report, node: Node, path: str) -> tuple[Variable, ...] | None:
    """The variables of a job: single values, or `{value, expand}`."""
    return _read(report, node, path, _JOB_KEYS)


def global_variables(report: Report, node: Node, path: str) -> tuple[Variable, ...] | None:
    """The variables of the whole configuration, which may have a description and options too."""
    return _read(report, node, path, _GLOBAL_KEYS)


def _read(report: Report, node: Node, path: str, keys: tuple[str, ...]) -> tuple[Variable, ...] | None:
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "config should be a hash of key value pairs")
        return None
    if len(node.entries) > MOST_VARIABLES:
        values.refuse(report, node, path, f"config has too many entries (maximum {MOST_VARIABLES})")
        return None
    found = (_variable(report, key, entry, path, keys) for key, entry in node.entries.items())
    return tuple(variable for variable in found if variable)


def _variable(report: Report, key: str, entry: Entry, path: str, keys: tuple[str, ...]) -> Variable | None:
    if not 0 < len(key) <= _LONGEST_KEY:
        report.error(entry.key_mark, values.INVALID, f"{path} key is empty or longer than {_LONGEST_KEY} characters")
        return None
    if isinstance(entry.value, Mapping):
        return _detailed(report, key, entry.value, f"{path}:{quoted(key)}", keys)
    value = values.variable_text(entry.value)
    if value is None:
        problem = "variable definition must be either a string or a hash"
        values.refuse(report, entry.value, f"{path}:{quoted(key)}", problem)
        return None
    return Variable(key, value)


def _detailed(report: Report, key: str, node: Mapping, path: str, keys: tuple[str, ...]) -> Variable | None:
    """A variable that is a mapping."""
    _check_data_keys(report, node, path, keys)
    value_node, expand_node = node.entries.get("value"), node.get("expand")
    value = values.variable_text(value_node.value) if value_node else ""
    if value is None:
        values.refuse(report, node, path, "config value must be an alphanumeric string")
    expand = values.boolean(report, expand_node, f"{path} config expand", _BOOLEAN) if expand_node else True
    description = node.get("description")
    if description is not None and values.variable_text(description) is None:
        values.refuse(report, description, path, "config description must be an alphanumeric string")
    chosen = _choose(report, node, path, value)
    return None if chosen is None else Variable(key, chosen, raw=expand is False)


def _check_data_keys(report: Report, node: Mapping, path: str, keys: tuple[str, ...]) -> None:
    if unknown := [key for key in node.entries if key not in keys]:
        names = ", ".join(quoted(key) for key in unknown)
        hint = report.did_you_mean(unknown[0], keys)
        mark = node.entries[unknown[0]].key_mark
        report.error(mark, "unknown_keyword", f"{path} config uses invalid data keys: {names}{hint}")


def _choose(report: Report, node: Mapping, path: str, value: str | None) -> str | None:
    """The value, which has to be one of the options where there are any."""
    options = node.get("options")
    if options is None:
        return value
    choices = values.texts(report, options, path, "config options should be an array of strings")
    if choices is None:
        return None
    if choices and ("value" not in node or value not in choices):
        values.refuse(report, node, path, "config value must be present in options")
        return None
    return value
