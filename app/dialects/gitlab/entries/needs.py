"""`needs`."""

from dataclasses import dataclass

from app.dialects.gitlab import values
from app.dialects.gitlab.entries import parallel
from app.dialects.gitlab.entries.parallel import Choice
from app.dialects.gitlab.nodes import Mapping, Mark, Node, Sequence
from app.dialects.gitlab.report import Report

LONGEST_NAME = 255
_BOOLEAN = "should be a boolean value"
MOST_WRITTEN = 200
"""More needs than a job may have, since optional ones may turn out to be absent."""

_KEYS = ("job", "artifacts", "optional", "parallel")
_ELSEWHERE = ("pipeline", "project", "ref")


@dataclass(frozen=True, slots=True)
class NeedConfig:
    """One need as written. The name of a parallel job stands for all of its instances, unless `choices` picks some."""

    mark: Mark
    job: str
    artifacts: bool = True
    optional: bool = False
    choices: tuple[tuple[Choice, ...], ...] = ()

    @property
    def names_matrix(self) -> bool:
        """Whether the need has a `$[[ matrix.X ]]` in it, and so may mean something else for each instance."""
        return "$[[" in self.job or any("$[[" in value for choice in self.choices for _, value in choice)


def needs(report: Report, node: Node, path: str) -> tuple[NeedConfig, ...] | None:
    """A list of job names and mappings, lists in it made flat; one mapping alone need not be in a list."""
    items = _items(report, node, path)
    if len(items) > MOST_WRITTEN:
        values.refuse(report, node, path, f"config has too many entries (maximum {MOST_WRITTEN})")
        return None
    found = (_need(report, item, path) for item in items)
    return tuple(need for need in found if need)


def _need(report: Report, node: Node, path: str) -> NeedConfig | None:
    path = f"{path}:need"
    if values.is_text(node):
        name = values.text(report, node, path)
        return NeedConfig(node.mark, name) if name else None
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "has an unsupported type")
        return None
    if elsewhere := [key for key in _ELSEWHERE if key in node]:
        mark = node.entries[elsewhere[0]].key_mark
        report.error(mark, "unsupported_keyword", f"{path}: `{elsewhere[0]}` is not supported yet")
        return None
    return _detailed(report, node, path)


def _detailed(report: Report, node: Mapping, path: str) -> NeedConfig | None:
    values.check_keys(report, node, path, _KEYS)
    job, artifacts, optional = node.get("job"), node.get("artifacts"), node.get("optional")
    if job is None:
        values.refuse(report, node, path, "job can't be blank" if "job" in node else "has an unsupported type")
        return None
    name = values.text(report, job, f"{path} job", "should be a string")
    if name is None:
        return None
    return NeedConfig(
        node.mark,
        name,
        artifacts=values.boolean(report, artifacts, f"{path} artifacts", _BOOLEAN) is not False if artifacts else True,
        optional=bool(optional and values.boolean(report, optional, f"{path} optional", _BOOLEAN)),
        choices=_choices(report, node, path),
    )


def _items(report: Report, node: Node, path: str) -> list[Node]:
    if isinstance(node, Sequence):
        return _flat(node)
    if isinstance(node, Mapping):
        return [node]
    values.refuse(report, node, path, "config can only be a hash or an array")
    return []


def _flat(node: Node) -> list[Node]:
    return [found for item in node.items for found in _flat(item)] if isinstance(node, Sequence) else [node]


def _choices(report: Report, node: Mapping, path: str) -> tuple[tuple[Choice, ...], ...]:
    """The instances that `parallel: {matrix: …}` picks."""
    given = node.get("parallel")
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        values.refuse(report, given, f"{path}:parallel", 'cannot use "parallel: <number>".')
        return ()
    found = parallel.parallel(report, given, f"{path}:parallel")
    return found.choices if found else ()
