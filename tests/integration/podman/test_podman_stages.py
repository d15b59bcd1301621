"""Scripts in a real container: what they print, how they end, what survives them."""

import hashlib
import time
from collections.abc import Callable

import pytest

from runner.executor.base import StageResult
from tests.integration.podman.conftest import Job

pytestmark = pytest.mark.podman


def test_a_script_sees_its_folder_its_variables_and_no_standard_input(start: Callable[..., Job]) -> None:
    job = start(environment={"COLOUR": "sea green"})
    result = job.run('pwd; echo "$COLOUR, $SIZE"; read line || echo no input', environment={"SIZE": "it's 7"})
    assert result == StageResult("exited", 0)
    assert job.text == "/builds/group/project\nsea green, it's 7\nno input\n"


def test_the_exit_code_is_the_scripts(job: Job) -> None:
    assert job.run("exit 3") == StageResult("exited", 3)
    assert job.run("true") == StageResult("exited", 0)
    assert job.run("kill -9 $$").exit_code == 137


def test_each_stage_has_a_fresh_shell_and_the_same_files(job: Job) -> None:
    job.run("cd /; here=1; export there=2; echo kept > $OLDPWD/file")
    job.run('echo "${here:-none} ${there:-none}"; cat file')
    assert job.text == "none none\nkept\n"


def test_standard_error_comes_in_order(job: Job) -> None:
    job.run("for i in 1 2 3; do echo out $i; echo err $i >&2; done")
    assert job.text == "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


def test_fifty_megabytes_arrive_byte_for_byte(job: Job) -> None:
    job.run("yes '0123456789 abcdef' | head -c 50000000 | tee copy | sha256sum > ../project.tmp/sum; cat copy")
    expected = (job.build.control / "sum").read_text().split()[0]
    assert len(job.printed) == 50_000_000
    assert hashlib.sha256(job.printed).hexdigest() == expected


def test_a_line_of_ten_megabytes_arrives(job: Job) -> None:
    job.run("head -c 10000000 /dev/zero | tr '\\0' x; echo")
    assert bytes(job.printed) == b"x" * 10_000_000 + b"\n"


def test_nul_invalid_utf8_and_half_marks_arrive(job: Job) -> None:
    job.run(r"printf 'a\000b\377\376c\036d\036'")
    assert bytes(job.printed) == b"a\0b\xff\xfec\x1ed\x1e"


def test_a_background_process_that_holds_the_output_does_not_hold_the_stage(job: Job) -> None:
    started = time.monotonic()
    assert job.run("sleep 60 & echo done") == StageResult("exited", 0)
    assert time.monotonic() - started < 5
    assert job.text == "done\n"


def test_a_background_process_that_floods_the_output_does_not_hold_the_stage(job: Job) -> None:
    assert job.run("yes & echo done; exit 4") == StageResult("exited", 4)
    assert job.run("echo after", timeout=20).outcome == "exited"


def test_a_script_that_times_out_is_ended_and_the_next_stage_runs(job: Job) -> None:
    result = job.run("trap 'echo ended; exit 1' TERM; echo begun; sleep 60 & wait", timeout=0.5)
    assert result.outcome == "timed_out"
    assert job.text == "begun\nended\n"
    assert job.run("echo after_script") == StageResult("exited", 0)
    assert job.text == "after_script\n"


def test_a_script_that_ignores_sigterm_is_killed_with_all_its_children(job: Job) -> None:
    result = job.run("trap '' TERM; (setsid sleep 61 &); sleep 62; sleep 63", timeout=0.3)
    assert result.outcome == "timed_out"
    job.run("ps")
    assert "sleep" not in job.text


def test_a_cancel_ends_the_stage(job: Job) -> None:
    job.cancelled.set()
    assert job.run("sleep 60").outcome == "cancelled"
    job.cancelled.clear()
    assert job.run("echo after_script") == StageResult("exited", 0)


def test_a_script_may_kill_its_whole_container(job: Job) -> None:
    result = job.run("echo last words; kill -9 -1; kill -9 $PPID; sleep 60")
    assert result.outcome == "killed"
    assert "exit code" in result.detail
    assert job.text.startswith("last words\n")


def test_scripts_get_sigint_at_its_default(job: Job) -> None:
    job.run("bash -c 'kill -INT $$; echo survived'")
    assert "survived" not in job.text


def test_a_script_cannot_make_the_runner_write_outside_its_control_folder(job: Job) -> None:
    outside = job.build.workspace.parent / "outside"
    outside.write_text("untouched")
    job.run("cd /builds/group/project.tmp && rm -f stage-* && mkdir -p x && ln -s ../../outside x/stage")
    assert job.run("echo fine") == StageResult("exited", 0)
    assert outside.read_text() == "untouched"


def test_after_stop_nothing_writes_to_the_workspace(job: Job) -> None:
    job.run("(while :; do date +%s%N > stamp; done) & sleep 0.2")
    job.environment.stop()
    stamp = (job.build.workspace / "stamp").stat().st_mtime_ns
    time.sleep(0.1)
    assert (job.build.workspace / "stamp").stat().st_mtime_ns == stamp
