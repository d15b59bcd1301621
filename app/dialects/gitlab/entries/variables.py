"""`variables`, of the whole configuration and of a job."""

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Entry, Mapping, Node, Scalar, Sequence
from app.dialects.gitlab.report import Report, quoted
from app.domain.plan import Variable

MOST_VARIABLES = 1000
_LONGEST_KEY = 255
_JOB_KEYS = ("value", "expand")
_GLOBAL_KEYS = ("value", "description", "options", "expand")


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
        values.refuse(report, entry.value, f"{path}:{quoted(key)}", "config must be a string, a number or a hash")
        return None
    return Variable(key, value)


def _detailed(report: Report, key: str, node: Mapping, path: str, keys: tuple[str, ...]) -> Variable | None:
    """A variable that is a mapping."""
    if "value" not in node and keys == _JOB_KEYS:
        # This is how GitLab names the mistake of giving a description where only the top level may.
        values.refuse(report, node, path, "config must have a `value`")
    values.check_keys(report, node, path, keys)
    value_node, expand_node = node.entries.get("value"), node.get("expand")
    value = values.variable_text(value_node.value) if value_node else ""
    if value is None:
        values.refuse(report, node, path, "config value must be a string or a number")
    expand = values.boolean(report, expand_node, f"{path} expand") if expand_node else True
    _check_description(report, node, path)
    chosen = _choose(report, node, path, value)
    return None if chosen is None else Variable(key, chosen, raw=expand is False)


def _check_description(report: Report, node: Mapping, path: str) -> None:
    description = node.get("description")
    if description is not None and not (isinstance(description, Scalar) and isinstance(description.value, str)):
        values.refuse(report, description, path, "description should be a string")


def _choose(report: Report, node: Mapping, path: str, value: str | None) -> str | None:
    """The value, which has to be one of the options where there are any; without a value it is the first option."""
    options_node = node.get("options")
    if options_node is None:
        return value
    items = options_node.items if isinstance(options_node, Sequence) else ()
    options = [option for item in items if (option := values.variable_text(item)) is not None]
    if not options or len(options) != len(items):
        values.refuse(report, options_node, path, "options should be an array of strings")
        return None
    if "value" not in node or value not in options:
        values.refuse(report, node, path, "config value must be one of the options")
        return None
    return value
