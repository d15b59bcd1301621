"""The format of the case files of this folder: a configuration, and what events make of its pipeline.

    config:                                   # a .gitlab-ci.yml
      build: {stage: build, script: make}
      test: {stage: test, script: make test}
    init:
      expect: {pipeline: pending, stages: {build: pending, test: created}, jobs: {build: pending, test: created}}
    transitions:
      - event: success                        # done to each of `jobs`; without `jobs`, to the pipeline
        jobs: [build]
        expect: {pipeline: pending, stages: {build: success, test: pending}, jobs: {build: success, test: pending}}

Events of a job: `run` (a runner takes it), `success`, `drop` (it fails; `exit_code` and `reason` if they matter),
`cancel`, `play`, `retry`, `enqueue` (its time has come, or a manual one is queued), `unschedule`. Events of a pipeline:
`retry`, `cancel`.
`jobs` of an expectation are the latest attempts; `stages` those that have jobs. GitLab keeps its own cases in files of
this form, so that cases from elsewhere can be dropped in here as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from app.dialects.base import CompileContext
from app.dialects.registry import compile_configuration
from app.domain import status
from app.domain.plan import Plan

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yml"))
JOB_EVENTS = frozenset({"run", "success", "drop", "cancel", "play", "retry", "enqueue", "unschedule"})
PIPELINE_EVENTS = frozenset({"retry", "cancel"})


class Machine(Protocol):
    """What a case is played on: a pipeline to which things happen. Jobs go by their names."""

    def pipeline(self) -> str:
        """The pipeline's status."""

    def jobs(self) -> dict[str, tuple[str, bool]]:
        """(status, allow_failure) of the latest attempt of each job."""

    def on_job(self, event: str, job: str, details: Mapping[str, Any]) -> None:
        """Do `event` to the latest attempt of `job`. `details`: exit_code, reason."""

    def on_pipeline(self, event: str) -> None:
        """Do `event` to the pipeline."""


@dataclass(frozen=True, slots=True)
class Case:
    """One file. `moments` begins with the pipeline as it was made, which no event leads to."""

    name: str
    plan: Plan
    moments: tuple[Mapping[str, Any], ...]


def read_case(path: Path) -> Case:
    """The case of a file. Raises AssertionError where the file says something else than the format allows."""
    content = yaml.safe_load(path.read_text())
    assert set(content) <= {"config", "init", "transitions"}, path.name
    text = yaml.safe_dump(content["config"], sort_keys=False)
    compiled = compile_configuration(".gitlab-ci.yml", text, CompileContext())
    assert compiled.plan is not None, [str(problem) for problem in compiled.errors]
    moments = [content["init"], *content.get("transitions", ())]
    for moment in moments:
        assert set(moment) <= {"event", "jobs", "exit_code", "reason", "expect"}, moment
        assert set(moment["expect"]) == {"pipeline", "stages", "jobs"}, moment
    for moment in moments[1:]:
        assert moment["event"] in (JOB_EVENTS if moment.get("jobs") else PIPELINE_EVENTS), moment
    return Case(path.stem, compiled.plan, tuple(moments))


@dataclass(slots=True)
class Player:
    """Plays a case on a machine, and follows the statuses of its stages, which depend on what they were."""

    case: Case
    machine: Machine
    stages: dict[str, str] = field(default_factory=dict)

    def play(self) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
        """After each moment: what it was, what is so, and what was expected."""
        for number, moment in enumerate(self.case.moments):
            self._happen(moment)
            yield f"{self.case.name}, transition {number}", self._now(), moment["expect"]

    def _happen(self, moment: Mapping[str, Any]) -> None:
        jobs = moment.get("jobs")
        if "event" in moment and not jobs:
            self.machine.on_pipeline(moment["event"])
        for job in jobs or ():
            self.machine.on_job(moment["event"], job, moment)
            self._look()
        self._look()

    def _look(self) -> None:
        now = self.machine.jobs()
        for stage in self.case.plan.stages:
            members = [now[job.name] for job in self.case.plan.jobs if job.stage == stage]
            self.stages[stage] = status.stage_status(self.stages.get(stage, status.CREATED), members)

    def _now(self) -> Mapping[str, Any]:
        jobs = {name: found for name, (found, _) in self.machine.jobs().items()}
        return {"pipeline": self.machine.pipeline(), "stages": dict(self.stages), "jobs": jobs}
