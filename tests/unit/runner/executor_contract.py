"""What every executor promises (runner.executor.base): one set of tests for all of them.

A subclass has fixtures: `executor` gives the executor, `build` a `Build` with empty folders whose image has `sh`.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runner.executor.base import Build, Environment, Executor, Stage, StageResult


class Never:
    """A `Cancelled` that is never set."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


def run(place: Environment, script: str, timeout: float = 30, cancelled: Any = None, **more: Any) -> Any:
    """(result, all output) of a stage."""
    output = bytearray()
    result = place.run(Stage("step_script", script, timeout, **more), output.extend, cancelled or Never())
    return result, bytes(output)


class ExecutorContract:
    """Inherit from it in a test module."""

    @pytest.fixture
    def environment(self, executor: Executor, build: Build) -> Iterator[Environment]:
        environment = executor.prepare(build, lambda data: None, Never())
        yield environment
        environment.stop()
        environment.close()

    def test_a_stage_ends_with_its_exit_code_and_all_its_output(self, environment):
        result, output = run(environment, "echo out; echo err >&2; exit 7")
        assert result == StageResult("exited", 7)
        assert sorted(output.splitlines()) == [b"err", b"out"]

    def test_a_passing_stage_exits_with_zero(self, environment):
        assert run(environment, "true")[0] == StageResult("exited", 0)

    def test_a_stage_gets_no_input(self, environment):
        assert run(environment, "cat; echo end") == (StageResult("exited", 0), b"end\n")

    def test_stages_share_files_and_no_shell(self, environment):
        run(environment, "X=1; echo kept >file")
        result, output = run(environment, 'cat file; echo "[$X]"')
        assert (result.exit_code, output) == (0, b"kept\n[]\n")

    def test_a_stage_starts_in_the_project_directory_and_files_are_in_the_workspace(self, environment, build):
        _, output = run(environment, "pwd; echo hello >made")
        assert output.decode().strip() == build.project_dir
        assert (build.workspace / "made").read_text() == "hello\n"

    def test_the_job_sees_its_variables_and_the_stages_own(self, environment, build):
        _, output = run(environment, 'echo "$GREETING|$OWN"', environment={"OWN": "a 'b' $c"})
        assert output.decode() == f"{build.environment['GREETING']}|a 'b' $c\n"

    def test_the_control_folder_is_where_the_build_says(self, environment, build):
        # What a job leaves in the control folder reaches later stages, and the host sees it.
        _, output = run(environment, f'echo x >"{build.control_dir}/gitlab_env" && echo written')
        assert output == b"written\n"

    def test_much_output_is_complete_and_in_order(self, environment):
        result, output = run(
            environment, "i=0; while [ $i -lt 20 ]; do head -c 100000 /dev/zero; i=$((i+1)); done; echo"
        )
        assert result.exit_code == 0
        assert output == bytes(2_000_000) + b"\n"

    def test_bytes_pass_as_they_are(self, environment):
        assert run(environment, "printf 'a\\000\\377\\r\\303('")[1] == b"a\0\xff\r\xc3("

    def test_a_stage_that_takes_too_long_is_ended(self, environment):
        started = time.monotonic()
        result, output = run(environment, "echo begun; sleep 60", timeout=1)
        assert (result.outcome, result.exit_code) == ("timed_out", None)
        assert output.startswith(b"begun\n")  # a shell may add that it was terminated
        assert time.monotonic() - started < 20

    def test_a_cancelled_stage_is_ended_and_the_environment_stays_usable(self, environment):
        cancelled = threading.Event()
        timer = threading.Timer(0.3, cancelled.set)
        timer.start()
        result, _ = run(environment, "sleep 60", cancelled=cancelled)
        assert result.outcome == "cancelled"
        assert run(environment, "echo after")[1] == b"after\n"

    def test_a_script_that_ignores_sigterm_is_killed(self, environment):
        cancelled = threading.Event()
        timer = threading.Timer(0.3, cancelled.set)
        timer.start()
        started = time.monotonic()
        result, _ = run(environment, "trap '' TERM; while :; do sleep 1; done", cancelled=cancelled)
        assert result.outcome == "cancelled"
        assert time.monotonic() - started < 30

    def test_what_a_stage_leaves_running_does_not_hold_it_up(self, environment):
        started = time.monotonic()
        result, output = run(environment, "sleep 60 & echo done")
        assert (result.exit_code, output) == (0, b"done\n")
        assert time.monotonic() - started < 20

    def test_stop_ends_a_running_stage_at_once(self, environment):
        timer = threading.Timer(0.3, environment.stop)
        timer.start()
        started = time.monotonic()
        result, _ = run(environment, "sleep 60")
        assert result.outcome in ("killed", "cancelled")
        assert time.monotonic() - started < 20

    def test_nothing_writes_to_the_workspace_after_stop(self, environment, build):
        run(environment, "(while :; do date +%N >tick; sleep 0.02; done) & sleep 0.1")
        environment.stop()
        before = (build.workspace / "tick").read_bytes()
        time.sleep(0.15)
        assert (build.workspace / "tick").read_bytes() == before

    def test_stop_and_close_may_be_called_often_and_in_any_order(self, executor, build):
        environment = executor.prepare(build, lambda data: None, Never())
        for call in (environment.close, environment.stop, environment.stop, environment.close):
            call()
