"""The phases that run what the author wrote: the steps, after_script and hooks."""

from collections.abc import Callable

from runner.durations import parse_duration
from runner.executor.base import ConfigurationError, ExecutorError, ImageRef, Stage, StageResult
from runner.failure import Failure
from runner.job.groups import Group, MarkedOutput, stage_name
from runner.job.run import JobRun
from runner.job.script_files import HOOKS, file_of
from runner.protocol.wire import Image, Step
from runner.scripts import launcher
from runner.variables import Variables

AFTER_SCRIPT_TIMEOUT = 300.0


def run_steps(run: JobRun) -> None:
    """Run the steps; the first failure decides, and later steps run only if they say so by `when`."""
    run.script_reached = True
    limit = parse_duration(run.variables.get("RUNNER_SCRIPT_TIMEOUT")) or float("inf")
    for number, group in enumerate(run.groups):
        failed = run.failure is not None
        wanted = {"always": True, "on_failure": failed}.get(group.steps[0].when, not failed)
        if wanted and not run.control.script.is_set():
            _run_group(run, group, file_of(number, group.stage), limit)


def has_after_script(run: JobRun) -> bool:
    return any(step.name == "after_script" and step.script for step in run.job.steps)


def run_after_script(run: JobRun) -> None:
    """Run after_script in a fresh shell. It fails the job only where AFTER_SCRIPT_IGNORE_ERRORS says so."""
    position = next(i for i, step in enumerate(run.job.steps) if step.name == "after_script")
    limit = parse_duration(run.variables.get("RUNNER_AFTER_SCRIPT_TIMEOUT")) or AFTER_SCRIPT_TIMEOUT
    run.steps.start(position, run.trace.mark())
    result = _execute(run, "after_script", "after_script.sh", limit, run.trace.write, after=True)
    failure = _failure_of(run, result, f"after_script took longer than {limit:g} seconds")
    status = _status_of(result, failure)
    run.steps.end(position, status, run.trace.mark(), result.exit_code)
    if failure is None:
        return
    if run.variables.flag("AFTER_SCRIPT_IGNORE_ERRORS", True):
        run.warn(f"after_script failed, but job will continue unaffected: {failure.message}")
    else:
        run.fail(failure)


def run_hooks(run: JobRun) -> None:
    """Run the hooks around get_sources, both behind it."""
    for name in HOOKS:
        if run.job.hooks.get(name):
            result = _execute(run, name, f"{name}.sh", run.remaining(), run.trace.write)
            failure = _failure_of(run, result, f"{name} took too long")
            if failure is not None:
                run.fail(failure)
                return


def _run_group(run: JobRun, group: Group, file: str, limit: float) -> None:
    """Run one stage, with a section and a report for each of its steps."""
    current = 0

    def open_step(index: int) -> None:
        name = stage_name(group.steps[index])
        run.open_section(name, f'Executing "{name}" stage of the job script')
        run.steps.start(group.positions[index], run.trace.mark())

    def close_step(index: int, status: str, exit_code: int | None, reason: str = "") -> None:
        run.steps.end(group.positions[index], status, run.trace.mark(), exit_code, reason)
        run.close_section(stage_name(group.steps[index]))

    def next_step(index: int) -> None:
        nonlocal current
        close_step(current, "success", 0)
        current = index
        open_step(index)

    step = group.steps[0]
    limit = min(limit, step.timeout or limit)
    output = MarkedOutput(group.marks, run.trace.write, lambda index: next_step(index + 1))
    open_step(0)
    try:
        result = _execute(run, group.stage, file, limit, output.write, step=step)
    except ExecutorError as error:
        output.flush()
        close_step(current, "failed", None, error.failure_reason)
        raise
    output.flush()
    failure = _failure_of(run, result, f"{group.stage} took longer than {min(limit, run.job.timeout):g} seconds")
    close_step(current, _status_of(result, failure), result.exit_code, failure.reason if failure else "")
    if failure is not None and group.steps[current].allow_failure:
        run.warn(f"{stage_name(group.steps[current])} failed, which it is allowed to: {failure.message}")
    elif failure is not None:
        run.fail(failure)


def stage_image(run: JobRun, step: Step | None) -> ImageRef | None:
    """The image that `step` brings, None for the job's container."""
    if step is None or step.image is None:
        return None
    return image_ref(step.image, run.variables)


def image_ref(image: Image, variables: Variables) -> ImageRef:
    """An image with the variables in its name, user and platform expanded."""
    user = variables.expand(image.user) if image.user else None
    platform = variables.expand(image.platform) if image.platform else None
    return ImageRef(variables.expand(image.name), image.entrypoint, image.pull_policy, user, platform)


def _execute(
    run: JobRun,
    stage: str,
    file: str,
    limit: float,
    output: Callable[[bytes], None],
    step: Step | None = None,
    after: bool = False,
) -> StageResult:
    if run.environment is None or run.places is None:
        raise ConfigurationError("there is no environment")
    verbatim = step is not None and step.verbatim
    script = launcher(f"{run.places.control_dir}/scripts/{file}", plain=verbatim)
    timeout = limit if after else min(limit, run.remaining())
    environment = {"CI_JOB_STATUS": run.outcome if after else "running"}
    cancelled = run.control.everything if after else run.control.script
    wanted = Stage(
        name=stage,
        script=script,
        timeout=timeout,
        environment=environment,
        image=stage_image(run, step),
        runtime=step.runtime if step else "",
        image_command=verbatim and step is not None and not step.script,
    )
    return run.environment.run(wanted, output, cancelled)


def _failure_of(run: JobRun, result: StageResult, too_long: str) -> Failure | None:
    if result.outcome == "exited":
        code = result.exit_code or 0
        return Failure("script_failure", f"exit code {code}", code) if code else None
    if result.outcome == "timed_out":
        return Failure("job_execution_timeout", too_long)
    if result.outcome == "cancelled":
        return Failure("job_canceled", run.control.reason or "canceled")
    if "memory" in result.detail:
        return Failure("script_failure", f"exit code 137 ({result.detail})", 137)
    return Failure("runner_system_failure", result.detail or "the container was killed", system=True)


def _status_of(result: StageResult, failure: Failure | None) -> str:
    if failure is None:
        return "success"
    return "canceled" if result.outcome == "cancelled" else "failed"
