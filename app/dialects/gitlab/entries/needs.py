"""`needs`."""

from dataclasses import dataclass

from app.dialects.gitlab import values
from app.dialects.gitlab.entries import parallel
from app.dialects.gitlab.entries.parallel import Choice
from app.dialects.gitlab.nodes import Mapping, Mark, Node, Sequence
from app.dialects.gitlab.report import Report
from app.domain.plan import ForeignNeed

LONGEST_NAME = 255
_BOOLEAN = "should be a boolean value"
MOST_WRITTEN = 200
"""More needs than a job may have, since optional ones may turn out to be absent."""

MOST_FOREIGN = 5
"""How many needs may name other pipelines, and how many other projects."""

_KEYS = ("job", "artifacts", "optional", "parallel")
_PIPELINE_KEYS = ("pipeline", "job", "artifacts")
_PROJECT_KEYS = ("project", "ref", "job", "artifacts")


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


@dataclass(frozen=True, slots=True)
class Needs:
    """All needs of a job: jobs of its own pipeline, jobs of other pipelines, and projects that it follows."""

    local: tuple[NeedConfig, ...] = ()
    foreign: tuple[ForeignNeed, ...] = ()
    followed: tuple[str, ...] = ()


def needs(report: Report, node: Node, path: str) -> tuple[NeedConfig, ...] | None:
    """A list of job names and mappings; one alone need not be in a list. Only jobs of the own pipeline are allowed."""
    found = all_needs(report, node, path)
    return None if found is None else local_only(report, node, path, found)


def local_only(report: Report, node: Node, path: str, found: Needs) -> tuple[NeedConfig, ...]:
    """The jobs of the own pipeline; anything else is reported."""
    refuse_kinds(report, node, path, cross_dependency=found.foreign, bridge=found.followed)
    return found.local


def refuse_kinds(report: Report, node: Node, path: str, **kinds: tuple[object, ...]) -> None:
    """Report those kinds of needs, by GitLab's names, of which there are any."""
    if present := [name for name, items in kinds.items() if items]:
        values.refuse(report, node, path, f"config uses invalid types: {', '.join(present)}")


def all_needs(report: Report, node: Node, path: str) -> Needs | None:
    """Needs of every kind."""
    items = _items(report, node, path)
    if len(items) > MOST_WRITTEN:
        values.refuse(report, node, path, f"config has too many entries (maximum {MOST_WRITTEN})")
        return None
    read = [_need(report, item, path) for item in items]
    found = Needs(
        tuple(need for need in read if isinstance(need, NeedConfig)),
        tuple(need for need in read if isinstance(need, ForeignNeed)),
        tuple(need for need in read if isinstance(need, str)),
    )
    for kind in ("pipeline", "project"):
        if sum(getattr(need, kind) is not None for need in found.foreign) > MOST_FOREIGN:
            values.refuse(report, node, path, f"config must be less than or equal to {MOST_FOREIGN}")
    return found


def _need(report: Report, node: Node, path: str) -> NeedConfig | ForeignNeed | str | None:
    path = f"{path}:need"
    if values.is_text(node):
        name = values.text(report, node, path)
        return NeedConfig(node.mark, name) if name else None
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "has an unsupported type")
        return None
    if set(node.entries) == {"pipeline"}:
        return _word(report, node, path, "pipeline")
    if "pipeline" in node:
        return _foreign(report, node, path, _PIPELINE_KEYS)
    if "project" in node or "ref" in node:
        return _foreign(report, node, path, _PROJECT_KEYS)
    return _detailed(report, node, path)


def _foreign(report: Report, node: Mapping, path: str, keys: tuple[str, ...]) -> ForeignNeed | None:
    """A need with `keys`, of which only `artifacts` may be left out."""
    values.check_keys(report, node, path, keys)
    words = {key: _word(report, node, path, key) for key in keys if key != "artifacts"}
    artifacts = node.get("artifacts")
    wanted = values.boolean(report, artifacts, f"{path} artifacts") is not False if artifacts else True
    job = words.pop("job")
    return None if job is None or None in words.values() else ForeignNeed(job, artifacts=wanted, **words)


def _word(report: Report, node: Mapping, path: str, key: str) -> str | None:
    given = node.get(key)
    if given is None:
        values.refuse(report, node, path, f"{key} can't be blank")
        return None
    return values.text(report, given, f"{path} {key}", "should be a string")


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
