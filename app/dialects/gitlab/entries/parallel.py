"""`parallel`: how many instances a job has and what sets them apart (gitlab.md C.7)."""

from dataclasses import dataclass
from itertools import product
from math import prod

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Mapping, Node, Scalar, Sequence
from app.dialects.gitlab.report import Report, quoted

MOST_INSTANCES = 200
_PAIRS = "config should be a hash of key value pairs, value can be an array"
Choice = tuple[str, str]
"""A variable of a matrix and one of its values."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """`count` equal instances, or one for each of `choices`."""

    count: int = 0
    choices: tuple[tuple[Choice, ...], ...] = ()

    @property
    def total(self) -> int:
        return len(self.choices) or self.count


def parallel(report: Report, node: Node, path: str) -> Parallel | None:
    """A number, or `{matrix: […]}`."""
    if isinstance(node, Mapping):
        values.check_keys(report, node, path, ("matrix",))
        given = node.get("matrix")
        if given is None:
            values.refuse(report, node, path, "config missing required keys: matrix")
            return None
        choices = matrix(report, given, f"{path}:matrix")
        return Parallel(choices=choices) if choices else None
    if not isinstance(node, Scalar) or isinstance(node.value, bool | str):
        values.refuse(report, node, path, "should be an integer or a hash")
        return None
    count = values.number(report, node, f"{path} config", 1, MOST_INSTANCES)
    return None if count is None else Parallel(count=count)


def matrix(report: Report, node: Node, path: str) -> tuple[tuple[Choice, ...], ...] | None:
    """All combinations of the values of each entry, the first variable changing slowest; entries one after another."""
    entries = node.items if isinstance(node, Sequence) else ()
    if not entries:
        values.refuse(report, node, path, "config should be an array of hashes")
        return None
    axes = [_axes(report, entry, path) for entry in entries]
    if sum(prod(len(options) for _, options in entry) for entry in axes) > MOST_INSTANCES:
        values.refuse(report, node, path, f"config generates too many jobs (maximum is {MOST_INSTANCES})")
        return None
    return tuple(
        tuple(zip((name for name, _ in entry), chosen, strict=True))
        for entry in axes
        for chosen in product(*(options for _, options in entry))
    )


def _axes(report: Report, node: Node, path: str) -> list[tuple[str, list[str]]]:
    """The variables of one entry with their possible values."""
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "config should be an array of hashes")
        return []
    if not node.entries:
        values.refuse(report, node, f"{path}:variables", "config requires at least 1 items")
    found = []
    for name, entry in node.entries.items():
        items = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
        scalars = [item for item in items if isinstance(item, Scalar) and item.value is not None]
        options = [text for item in scalars if (text := values.variable_text(item)) is not None]
        if len(options) != len(items) or not any(options):
            values.refuse(report, entry.value, f"{path}:variables", f"{_PAIRS}: see {quoted(name)}")
        found.append((name, options))
    return found


def instance_name(job: str, choice: tuple[Choice, ...]) -> str:
    """The name of one instance of a matrix."""
    return f"{job}: [{', '.join(value for _, value in choice)}]"
