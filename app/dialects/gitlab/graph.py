"""Whether jobs wait for jobs that are there, that come before them, and never for themselves (gitlab.md C.6)."""

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from app.dialects.gitlab.configuration import DEFAULT_STAGE, Configuration
from app.dialects.gitlab.entries.needs import LONGEST_NAME
from app.dialects.gitlab.jobs import JobConfig
from app.dialects.gitlab.report import Report, did_you_mean, quoted

MOST_NEEDS = 50


def check(configuration: Configuration, report: Report) -> None:
    """Report every need and dependency that cannot be."""
    _Check(configuration, report).run()


class _Check:
    def __init__(self, configuration: Configuration, report: Report) -> None:
        self._jobs = configuration.jobs
        self._refused = configuration.refused
        self._order = {stage: index for index, stage in enumerate(configuration.stages)}
        self._report = report

    def run(self) -> None:
        for job in self._jobs.values():
            for name in job.dependencies or ():
                self._edge(job, name, "dependency", optional=False)
            for need in job.needs or ():
                self._edge(job, need.job, "need", optional=need.optional)
            self._names(job)
        if not self._report.has_errors:
            self._circles()

    def _stage(self, job: JobConfig) -> int:
        return self._order.get(job.stage or DEFAULT_STAGE, -1)

    def _edge(self, job: JobConfig, name: str, kind: str, *, optional: bool) -> None:
        other = self._jobs.get(name)
        if other is None:
            if not optional and name not in self._refused:
                hint = did_you_mean(name, self._jobs)
                self._error(job, f"undefined_{kind}", f"{_shown(job)} job: undefined {kind}: {quoted(name)}{hint}")
        elif self._stage(other) > self._stage(job):
            message = f"{_shown(job)} job: {kind} {quoted(name)} is not defined in current or prior stages"
            self._error(job, f"later_{kind}", message)

    def _names(self, job: JobConfig) -> None:
        needs = [need.job for need in job.needs or ()]
        if twice := [name for name, count in Counter(needs).items() if count > 1]:
            names = ", ".join(quoted(name) for name in twice)
            self._error(job, "duplicate_need", f"{_shown(job)} has the following needs duplicated: {names}.")
        for name in needs:
            if len(name) > LONGEST_NAME:
                message = f"{_shown(job)} job: need `{quoted(name)}` name is too long"
                self._error(job, "name_too_long", f"{message} (maximum is {LONGEST_NAME} characters)")

    def _circles(self) -> None:
        graph = {
            job.name: [need.job for need in job.needs or () if need.job in self._jobs] for job in self._jobs.values()
        }
        if circle := find_circle(graph.items()):
            names = ", ".join(f'"{quoted(name)}"' for name in circle)
            itself = "self-dependency: " if len(set(circle)) == 1 else ""
            message = f"The pipeline has circular dependencies: {itself}{names}"
            self._error(self._jobs[circle[0]], "circular_needs", message)

    def _error(self, job: JobConfig, code: str, message: str) -> None:
        self._report.error(job.mark, code, message)


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
