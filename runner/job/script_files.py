"""The script files of a job, written into its control folder before the first of them runs."""

from collections.abc import Sequence

from runner.executor.base import ConfigurationError
from runner.job.groups import groups_of
from runner.job.run import JobRun
from runner.protocol.wire import Step, Variable
from runner.scripts import Script, stage_script
from runner.variables import Variables

HOOKS = ("pre_get_sources_script", "post_get_sources_script")


def write_scripts(run: JobRun) -> None:
    """Write the script files of all stages and hooks into the control folder."""
    run.groups = groups_of(run.job.steps)
    for number, group in enumerate(run.groups):
        _write(run, file_of(number, group.stage), group.steps, tuple(mark.decode() for mark in group.marks))
    for step in run.job.steps:
        if step.name == "after_script":
            _write(run, "after_script.sh", (step,))
    for name in HOOKS:
        if run.job.hooks.get(name):
            _write(run, f"{name}.sh", (Step(name, run.job.hooks[name]),))


def file_of(number: int, stage: str) -> str:
    return f"{number:02d}-{stage}"[:200] + ".sh"


def _write(run: JobRun, name: str, steps: tuple[Step, ...], marks: tuple[str, ...] = ()) -> None:
    workspace, places = run.workspace, run.places
    if workspace is None or places is None:
        raise ConfigurationError("there is no workspace")
    environment = run.variables.environment
    # Its value depends on how the job goes; the stage gets it from its own environment.
    environment.pop("CI_JOB_STATUS", None)
    script = Script(
        environment=environment,
        project_dir=places.project_dir,
        steps=steps,
        marks=marks,
        xtrace=run.variables.flag("CI_DEBUG_TRACE"),
        step_environments=tuple(_own(step.environment, run.variables) for step in steps),
    )
    folder = workspace.control / "scripts"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    path = folder / name
    path.write_bytes(stage_script(script))
    path.chmod(0o644)


def _own(environment: Sequence[Variable], variables: Variables) -> dict[str, str]:
    return {one.key: one.value if one.raw else variables.expand(one.value) for one in environment}
