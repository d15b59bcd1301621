"""The life of environments: prepared, cancelled, closed, orphaned."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.executor.base import Build, ExecutorError, Stage, StageResult
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_settings import PodmanSettings
from tests.integration.podman.conftest import RUNNER, Job
from tests.integration.podman.images import podman
from tests.integration.podman.watching import containers, until

pytestmark = pytest.mark.podman
Start = Callable[..., Job]
MakeBuild = Callable[..., Build]

ABANDONED = """
import json, sys, threading
from pathlib import Path
from runner.executor.base import Build, Stage
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_settings import PodmanSettings
folder, runner = Path(sys.argv[1]), sys.argv[2]
tree, control = folder / "tree", folder / "control"
tree.mkdir()
control.mkdir()
labels = {"skerry.runner": runner, "skerry.job": "4711", "skerry.boot": "before"}
build = Build(4711, "left", None, (), {}, tree, "/builds/p", control, "/builds/p.tmp", {}, labels, 300)
executor = PodmanExecutor(PodmanSettings())
environment = executor.prepare(build, lambda data: None, threading.Event())
print(json.dumps({"init": environment._main.pid}), flush=True)
environment.run(Stage("step_script", "sleep 300", 300), lambda data: None, threading.Event())
"""


def test_after_a_cancel_no_container_is_left_within_five_seconds(start: Start) -> None:
    job = start()
    threading.Timer(0.3, job.cancelled.set).start()
    result = job.run("trap '' TERM; sleep 300 & wait; sleep 300")
    assert result.outcome == "cancelled"
    job.environment.stop()
    job.environment.close()
    assert until(lambda: not containers(job=str(job.build.job_id)))


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_cancelled_script_leaves_no_shells_words_in_the_log(job: Job, shell: str) -> None:
    (job.build.control / "script").write_text("for i in 1 2 3; do sleep 100; done\n")
    threading.Timer(0.3, job.cancelled.set).start()
    job.run(f"exec {shell} {job.build.control_dir}/script")
    assert job.text == ""


def test_close_and_stop_may_come_at_any_time_and_twice(start: Start) -> None:
    job = start()
    runner = threading.Thread(target=job.run, args=("sleep 300",))
    runner.start()
    time.sleep(0.2)
    for _ in range(2):
        job.environment.stop()
        job.environment.close()
    runner.join(10)
    assert not runner.is_alive()
    assert until(lambda: not containers(job=str(job.build.job_id)))


def test_a_cancelled_preparation_leaves_nothing_behind(executor: PodmanExecutor, make_build: MakeBuild) -> None:
    build = make_build()
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ExecutorError, match="cancelled"):
        executor.prepare(build, lambda _: None, cancelled)
    executor.settle()
    assert not containers(job=str(build.job_id))


def test_a_container_killed_from_outside_ends_the_stage_with_a_reason(start: Start) -> None:
    job = start()
    threading.Timer(0.3, lambda: podman("kill", *containers(job=str(job.build.job_id)))).start()
    result = job.run("echo begun; sleep 300")
    assert result.outcome == "killed"
    assert result.detail == "the container ended with exit code 137"
    assert job.text == "begun\n"
    assert job.run("true").outcome == "killed"


def test_a_runner_that_is_killed_takes_its_container_with_it_and_is_tidied_up_after(
    executor: PodmanExecutor, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ABANDONED, str(tmp_path), f"{RUNNER}-killed"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path.cwd(),
    )
    assert process.stdout is not None
    init = json.loads(process.stdout.readline())["init"]
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    family = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    assert len(family) >= 2, "the service and the helper"
    assert len(containers(runner=f"{RUNNER}-killed")) == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert until(lambda: not Path(f"/proc/{init}").exists()), "the container goes on without its runner"
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family)), "a child outlives the runner"

    assert executor.remove_orphans(f"{RUNNER}-killed", "before") == []
    assert executor.remove_orphans(f"{RUNNER}-killed", "now") == [4711]
    assert containers(runner=f"{RUNNER}-killed") == []
    assert executor.remove_orphans(f"{RUNNER}-killed", "now") == []


def test_orphans_of_another_runner_are_left_alone(executor: PodmanExecutor, start: Start) -> None:
    job = start()
    assert executor.remove_orphans("another", "now") == []
    assert job.run("true") == StageResult("exited", 0)


def test_a_service_that_dies_is_started_again(make_build: MakeBuild) -> None:
    made = PodmanExecutor(PodmanSettings())
    try:
        service = made._service
        assert service is not None
        assert service._child is not None
        service._child.kill()
        assert until(lambda: usable(made), 10)
        environment = made.prepare(make_build(), lambda _: None, threading.Event())
        assert environment.run(Stage("s", "exit 7", 10), lambda _: None, threading.Event()) == StageResult("exited", 7)
        environment.close()
    finally:
        made.close()


def usable(executor: PodmanExecutor) -> bool:
    try:
        executor._client.request("GET", "/version")
    except ExecutorError:
        return False
    return True


def test_a_helper_that_dies_is_started_again(executor: PodmanExecutor, start: Start) -> None:
    helper = executor.helper
    process = helper._process  # type: ignore[attr-defined]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    job = start()
    assert job.run("sleep 60", timeout=0.2).outcome == "timed_out"


@pytest.fixture
def foreign_service(tmp_path: Path) -> Iterator[Path]:
    """A Podman service that is not the executor's own."""
    path = tmp_path / "podman.sock"
    process = subprocess.Popen(["podman", "system", "service", "--time", "0", f"unix://{path}"])
    assert until(path.exists, 10)
    yield path
    process.terminate()
    process.wait()


def test_a_running_podman_service_can_be_used(foreign_service: Path, start: Start, executor: PodmanExecutor) -> None:
    made = PodmanExecutor(PodmanSettings(socket=foreign_service), executor.helper)
    job = start(made)
    assert job.run("true") == StageResult("exited", 0)
    job.environment.close()
    made.close()
    assert not containers(job=str(job.build.job_id))


def test_jobs_run_side_by_side_without_mixing(start: Start) -> None:
    jobs: dict[int, Job] = {}
    threads = [threading.Thread(target=lambda number=number: jobs.update({number: start()})) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 4
    results: dict[int, StageResult] = {}

    def run(number: int) -> None:
        results[number] = jobs[number].run(f"yes {number} | head -n 200000; exit {number}")

    threads = [threading.Thread(target=run, args=(number,)) for number in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, job in jobs.items():
        assert results[number] == StageResult("exited", number)
        assert bytes(job.printed) == f"{number}\n".encode() * 200_000


def test_a_ctrl_c_for_the_runner_does_not_reach_what_it_still_needs(executor: PodmanExecutor) -> None:
    service, helper = executor._service, executor.helper
    assert service is not None
    assert service._child is not None
    for process in (service._child, helper._process):  # type: ignore[attr-defined]
        assert os.getsid(process.pid) != os.getsid(0)
