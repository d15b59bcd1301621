"""The phases that run what the author wrote: the steps, after_script and hooks.

Each entry of the job's `steps` but after_script is a stage of its own, except that our server may say that a step
shares its shell with the one before: those form one group, one script, one stage. Where such a step begins, the
script prints a mark which only this job's runner knows; `MarkedOutput` takes the marks out of the log again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.durations import parse_duration
from runner.executor.base import ConfigurationError, ExecutorError, ImageRef, Stage, StageResult
from runner.failure import Failure
from runner.protocol.wire import Step, Variable
from runner.scripts import Script, launcher, stage_script
from runner.variables import Variables

if TYPE_CHECKING:
    from runner.job_run import JobRun

AFTER_SCRIPT_TIMEOUT = 300.0
HOOKS = ("pre_get_sources_script", "post_get_sources_script")


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that run in one shell: their positions in the job's list. `marks` stand before all but the first."""

    positions: tuple[int, ...]
    steps: tuple[Step, ...]
    marks: tuple[bytes, ...]

    @property
    def stage(self) -> str:
        return stage_name(self.steps[0])


def stage_name(step: Step) -> str:
    """The stage's and section's name: `step_script`, `after_script`."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "_" for c in step.name)
    return name if step.name == "after_script" else f"step_{name}"


def groups_of(steps: Sequence[Step]) -> list[Group]:
    """All steps but after_script, in order, those in one group that share a shell."""
    parts: list[list[tuple[int, Step]]] = []
    for position, step in enumerate(steps):
        if step.name == "after_script":
            continue
        if parts and _joins(parts[-1][-1][1], step):
            parts[-1].append((position, step))
        else:
            parts.append([(position, step)])
    return [
        Group(
            positions=tuple(position for position, _ in part),
            steps=tuple(step for _, step in part),
            marks=tuple(f"\x1b]skerry;{secrets.token_hex(12)}\x07".encode() for _ in part[1:]),
        )
        for part in parts
    ]


def _joins(before: Step, step: Step) -> bool:
    plain = step.when == "on_success" and not step.timeout and not step.allow_failure and not before.allow_failure
    return not step.own_shell and step.image is None and plain


def write_scripts(run: JobRun) -> None:
    """Write the script files of all stages and hooks into the control folder."""
    run.groups = groups_of(run.job.steps)
    for number, group in enumerate(run.groups):
        _write(run, _file(number, group.stage), group.steps, tuple(mark.decode() for mark in group.marks))
    for step in run.job.steps:
        if step.name == "after_script":
            _write(run, "after_script.sh", (step,))
    for name in HOOKS:
        if run.job.hooks.get(name):
            _write(run, f"{name}.sh", (Step(name, run.job.hooks[name]),))


def _file(number: int, stage: str) -> str:
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


def run_steps(run: JobRun) -> None:
    """Run the steps; the first failure decides, and later steps run only if they say so by `when`."""
    run.script_reached = True
    limit = parse_duration(run.variables.get("RUNNER_SCRIPT_TIMEOUT")) or float("inf")
    for number, group in enumerate(run.groups):
        failed = run.failure is not None
        wanted = {"always": True, "on_failure": failed}.get(group.steps[0].when, not failed)
        if wanted and not run.control.script.is_set():
            _run_group(run, group, _file(number, group.stage), limit)


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
    return ImageRef(
        run.variables.expand(step.image.name), step.image.entrypoint, step.image.pull_policy, step.image.user
    )


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


class MarkedOutput:
    """A stage's output without its marks. `on_mark(i)` is called at the place of the i-th, in order, once each."""

    def __init__(self, marks: Sequence[bytes], write: Callable[[bytes], None], on_mark: Callable[[int], None]) -> None:
        self._marks = marks
        self._write = write
        self._on_mark = on_mark
        self._next = 0
        self._held = b""

    def write(self, data: bytes) -> None:
        data = self._held + data
        self._held = b""
        while self._next < len(self._marks):
            mark = self._marks[self._next]
            before, found, after = data.partition(mark)
            if not found:
                self._held = _beginning_at_end(data, mark)
                data = data[: len(data) - len(self._held)]
                break
            if before:
                self._write(before)
            self._next += 1
            self._on_mark(self._next - 1)
            data = after
        if data:
            self._write(data)

    def flush(self) -> None:
        """The stage has ended: pass on what could have been the beginning of a mark."""
        held, self._held = self._held, b""
        if held:
            self._write(held)


def _beginning_at_end(data: bytes, mark: bytes) -> bytes:
    """The end of `data` with which `mark` begins."""
    start = data.rfind(mark[:1], max(0, len(data) - len(mark) + 1))
    return data[start:] if start >= 0 and mark.startswith(data[start:]) else b""
