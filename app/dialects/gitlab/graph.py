"""Whether jobs wait for jobs that are there, that come before them, and never for themselves (gitlab.md C.6)."""

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from app.dialects.gitlab.configuration import DEFAULT_STAGE, Configuration
from app.dialects.gitlab.entries.needs import LONGEST_NAME, NeedConfig
from app.dialects.gitlab.expansion import Expanded, Instance, unknown_variables
from app.dialects.gitlab.jobs import JobConfig
from app.dialects.gitlab.nodes import Mark
from app.dialects.gitlab.report import Report, quoted


def check(configuration: Configuration, expanded: Expanded, report: Report) -> None:
    """Report every need and dependency that cannot be. Does nothing when there are too many jobs to look at."""
    if not expanded.instances:
        return
    _Check(configuration, expanded, report).run()


class _Check:
    def __init__(self, configuration: Configuration, expanded: Expanded, report: Report) -> None:
        self._jobs = configuration.jobs
        self._refused = configuration.refused
        self._order = {stage: index for index, stage in enumerate(configuration.stages)}
        self._expanded = expanded
        self._report = report

    def run(self) -> None:
        for job in self._jobs.values():
            self._dependencies(job)
            self._names(job)
            for rule in job.rules or ():
                self._needs(job, rule.needs or (), rule.mark)
            self._needs(job, job.needs or (), job.mark)
        if not self._report.has_errors:
            self._circles()

    def _instances(self, job: JobConfig) -> Iterable[Instance]:
        return (self._expanded.instances[name] for name in self._expanded.groups[job.name])

    def _dependencies(self, job: JobConfig) -> None:
        for name in job.dependencies or ():
            for found in self._expanded.names(name) or (name,):
                self._edge(job, found, "dependency", job.mark, optional=False)
        for file in job.trigger.generated if job.trigger else ():
            for found in self._expanded.names(file.job) or (file.job,):
                self._edge(job, found, "dependency", job.mark, optional=False)

    def _needs(self, job: JobConfig, needs: tuple[NeedConfig, ...], mark: Mark) -> None:
        seen: set[str] = set()
        for need in needs:
            if need.job in seen:
                continue
            if not need.choices:
                seen.add(need.job)
            instances = list(self._instances(job))
            if not need.names_matrix:
                # Then it means the same for all instances.
                instances = instances[:1]
            elif self._has_unknown(job, need, instances, mark):
                continue
            names = dict.fromkeys(
                name for instance in instances for name in self._expanded.needed(need, instance.choice)
            )
            for name in names:
                self._edge(job, name, "need", mark, optional=need.optional)

    def _has_unknown(self, job: JobConfig, need: NeedConfig, instances: Iterable[Instance], mark: Mark) -> bool:
        """Whether the need asks for a variable of the matrix that there is not, which is reported."""
        unknown = dict.fromkeys(name for found in instances for name in unknown_variables(need, found.choice))
        for name in unknown:
            hint = self._report.did_you_mean(name, [key for found in instances for key, _ in found.choice])
            message = f"{_shown(job)} job: '{quoted(name)}' does not exist in matrix configuration{hint}"
            self._report.error(mark, "unknown_matrix_variable", message)
        return bool(unknown)

    def _is_later(self, other: JobConfig, job: JobConfig) -> bool:
        """Whether `other` stands in a later stage. A stage that does not exist was reported already."""
        theirs, own = (self._order.get(found.stage or DEFAULT_STAGE) for found in (other, job))
        return theirs is not None and own is not None and theirs > own

    def _edge(self, job: JobConfig, name: str, kind: str, mark: Mark, *, optional: bool) -> None:
        other = self._expanded.instances.get(name)
        if other is None:
            if not optional and name not in self._refused:
                hint = self._report.did_you_mean(name, self._jobs)
                message = f"{_shown(job)} job: undefined {kind}: {quoted(name)}{hint}"
                self._report.error(mark, f"undefined_{kind}", message)
        elif self._is_later(other.job, job):
            message = f"{_shown(job)} job: {kind} {quoted(name)} is not defined in current or prior stages"
            self._report.error(mark, f"later_{kind}", message)

    def _names(self, job: JobConfig) -> None:
        needs = [need.job for need in job.needs or () if not need.choices]
        if twice := [name for name, count in Counter(needs).items() if count > 1]:
            names = ", ".join(quoted(name) for name in twice)
            message = f"{_shown(job)} has the following needs duplicated: {names}."
            self._report.error(job.mark, "duplicate_need", message)
        for name in needs:
            if len(name) > LONGEST_NAME:
                message = f"{_shown(job)} job: need `{quoted(name)}` name is too long"
                self._report.error(job.mark, "name_too_long", f"{message} (maximum is {LONGEST_NAME} characters)")

    def _circles(self) -> None:
        """Look for circles among the jobs as written: instances of one job never need each other."""
        owner = {name: instance.job.name for name, instance in self._expanded.instances.items()}
        graph = {
            job.name: {
                owner[name]
                for need in job.needs or ()
                for instance in self._instances(job)
                for name in self._expanded.needed(need, instance.choice)[:1]
                if name in owner
            }
            for job in self._jobs.values()
        }
        if circle := find_circle(graph.items()):
            names = ", ".join(f'"{quoted(name)}"' for name in circle)
            itself = "self-dependency: " if len(circle) == 1 else ""
            message = f"The pipeline has circular dependencies: {itself}{names}"
            self._report.error(self._jobs[circle[0]].mark, "circular_needs", message)


def _shown(job: JobConfig) -> str:
    return quoted(job.name)


def find_circle(edges: Iterable[tuple[str, Iterable[str]]]) -> tuple[str, ...]:
    """The names on one circle of the graph, each once, or nothing. `edges`: a node with those that it points to."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node, targets in edges:
        sorter.add(node, *targets)
    try:
        sorter.prepare()
    except CycleError as circle:
        return tuple(dict.fromkeys(circle.args[1]))
    return ()
