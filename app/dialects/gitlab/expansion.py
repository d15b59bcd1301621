"""Parallel jobs as their instances, and the names by which others may need them (gitlab.md C.6, C.7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.dialects.gitlab.configuration import Configuration
from app.dialects.gitlab.entries.needs import NeedConfig
from app.dialects.gitlab.entries.parallel import Choice, instance_name
from app.dialects.gitlab.jobs import LONGEST_NAME, JobConfig
from app.dialects.gitlab.report import Report, quoted

MOST_JOBS = 5000
_MATRIX = re.compile(r"\$\[\[\s*matrix\.([\w-]+)\s*\]\]")


@dataclass(frozen=True, slots=True)
class Instance:
    """One job to be: `index` of `total` counts from 1, and is None for a job that is not parallel."""

    name: str
    job: JobConfig
    choice: tuple[Choice, ...] = ()
    index: int | None = None
    total: int = 1


@dataclass(frozen=True, slots=True)
class Expanded:
    """All instances by name, and for each job as written the names of its instances."""

    instances: Mapping[str, Instance]
    groups: Mapping[str, tuple[str, ...]]

    def names(self, name: str) -> tuple[str, ...]:
        """The instances that `name` means: all of a job's, or the one of that very name, or none."""
        return self.groups.get(name) or ((name,) if name in self.instances else ())

    def needed(self, need: NeedConfig, choice: tuple[Choice, ...]) -> tuple[str, ...]:
        """The names that a need means for the instance with `choice`, whether there are such jobs or not."""
        job = _interpolate(need.job, choice)
        if need.choices:
            picked = (tuple((key, _interpolate(value, choice)) for key, value in option) for option in need.choices)
            return tuple(instance_name(job, option) for option in picked)
        return self.names(job) or (job,)


def expand(configuration: Configuration, report: Report) -> Expanded:
    """Every job as its instances."""
    instances: dict[str, Instance] = {}
    groups: dict[str, tuple[str, ...]] = {}
    jobs = configuration.jobs.values()
    count = sum(job.parallel.total if job.parallel else 1 for job in jobs)
    if count > MOST_JOBS:
        last = list(jobs)[-1]
        message = f"The configuration has {count} jobs with all their instances; {MOST_JOBS} are allowed"
        report.error(last.mark, "too_many_jobs", message)
        return Expanded({}, {})
    for job in jobs:
        found = _instances(job)
        groups[job.name] = tuple(instance.name for instance in found)
        for instance in found:
            if instance.index is not None and len(instance.name) > LONGEST_NAME:
                message = f"jobs:{quoted(instance.name)} name is too long (maximum is {LONGEST_NAME} characters)"
                report.error(job.mark, "name_too_long", message)
            if instance.name in instances:
                report.error(job.mark, "duplicate_job", f"There are two jobs of the name {quoted(instance.name)}")
            instances[instance.name] = instance
    return Expanded(instances, groups)


def _instances(job: JobConfig) -> list[Instance]:
    if job.parallel is None:
        return [Instance(job.name, job)]
    count, choices = job.parallel.count, job.parallel.choices
    if choices:
        return [
            Instance(instance_name(job.name, choice), job, choice, index, len(choices))
            for index, choice in enumerate(choices, start=1)
        ]
    return [Instance(f"{job.name} {index}/{count}", job, (), index, count) for index in range(1, count + 1)]


def unknown_variables(need: NeedConfig, choice: tuple[Choice, ...]) -> list[str]:
    """The names of `$[[ matrix.NAME ]]` in a need that the instance with `choice` has no value for."""
    known = dict(choice)
    texts = (need.job, *(value for option in need.choices for _, value in option))
    return [name for text in texts for name in _MATRIX.findall(text) if name not in known]


def _interpolate(text: str, choice: tuple[Choice, ...]) -> str:
    """`$[[ matrix.NAME ]]` replaced by the instance's own value; unknown names stay."""
    known = dict(choice)
    return _MATRIX.sub(lambda match: known.get(match[1], match[0]), text)


_GROUP = re.compile(r"([\s:]+((\[.*\])|(\d+[\s:/\\]+\d+))){1,3}\s*\Z")


def group_name(name: str) -> str:
    """The name that the instances of a job share: CI_JOB_GROUP_NAME."""
    return _GROUP.sub("", name)
