"""The life of environments: prepared, cancelled, closed, orphaned; images that can and cannot be had."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.executor.base import Build, ConfigurationError, ExecutorError, ImagePullError, ImageRef, Stage, StageResult
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_settings import PodmanSettings
from runner.protocol.info import architecture
from tests.integration.podman.conftest import RUNNER, Job
from tests.integration.podman.images import derived, podman

pytestmark = pytest.mark.podman
Start = Callable[..., Job]
Another = Callable[..., PodmanExecutor]
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


def containers(**labels: str) -> list[str]:
    labels = {"runner": RUNNER} | labels
    filters = [word for key, value in labels.items() for word in ("--filter", f"label=skerry.{key}={value}")]
    return podman("ps", "--all", "--quiet", *filters).split()


def until(true: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether `true` comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return bool(true())


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


def test_an_image_that_is_nowhere_is_a_pull_error_with_podmans_words(start: Start) -> None:
    with pytest.raises(ImagePullError, match="connection refused"):
        start(image=ImageRef("127.0.0.1:1/no/such:1", pull_policy=("if-not-present",)))
    with pytest.raises(ImagePullError, match="not on this host"):
        start(image=ImageRef("localhost/no/such"))


def test_never_does_not_pull(another: Another, start: Start) -> None:
    made = another(pull_policy=("never",))
    with pytest.raises(ImagePullError, match="pull policy is 'never'"):
        start(made, image=ImageRef("127.0.0.1:1/no/such:1"))
    with pytest.raises(ConfigurationError, match="none of those that this runner allows"):
        start(made, image=ImageRef("127.0.0.1:1/no/such:1", pull_policy=("always",)))


def test_a_pull_that_hangs_ends_with_the_limit_and_with_a_cancel(
    executor: PodmanExecutor, make_build: MakeBuild
) -> None:

    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = ImageRef(f"127.0.0.1:{silent.getsockname()[1]}/never/answers:1")
        made = PodmanExecutor(PodmanSettings(pull_timeout=0.5), executor.helper)
        try:
            with pytest.raises(ImagePullError, match="took more than"):
                made.prepare(make_build(image=image), lambda _: None, threading.Event())
            cancelled = threading.Event()
            threading.Timer(0.2, cancelled.set).start()
            with pytest.raises(ExecutorError, match="cancelled"):
                made.prepare(make_build(image=image), lambda _: None, cancelled)
        finally:
            made.close()


def test_an_image_that_the_runner_does_not_allow_is_refused(another: Another, start: Start) -> None:
    made = another(allowed_images=("localhost/skerry/*",))
    assert start(made).run("true") == StageResult("exited", 0)
    with pytest.raises(ConfigurationError, match="does not allow"):
        start(made, image=ImageRef("localhost/skerry-test/web"))


def test_an_image_without_a_shell_says_so(start: Start, base_image: str) -> None:
    bare = derived("shell-less", script="busybox rm -f /bin/sh /bin/bash")
    with pytest.raises(ExecutorError, match="the image needs `sh`"):
        start(image=ImageRef(bare))


def test_an_entrypoint_is_honoured_and_can_be_replaced(start: Start, base_image: str) -> None:
    lines = r'#!/bin/sh\necho from the entrypoint\nexport ENTERED=1\nexec "$@"\n'
    script = f"printf '{lines}' > /enter && chmod 755 /enter"
    image = derived("entered", 'ENTRYPOINT ["/enter"]', script=script)
    job = start(image=ImageRef(image))
    assert bytes(job.prepared).endswith(b"from the entrypoint\n")
    job.run('echo "$ENTERED"')
    assert job.text == "1\n"
    for cleared in ((), ("",)):
        job = start(image=ImageRef(image, entrypoint=cleared))
        job.run('echo "${ENTERED:-not entered}"')
        assert job.text == "not entered\n"


def test_a_stage_with_its_own_image_shares_the_workspace_and_nothing_else(start: Start, base_image: str) -> None:
    other = derived("other", script="touch /only-here")
    users = derived("user", "USER 1000")
    job = start()
    job.run("echo from the first > file; touch /tmp/private")
    script = "cat file; ls /only-here; test ! -e /tmp/private && echo from the second >> file"
    assert job.run(script, image=ImageRef(other)) == StageResult("exited", 0), job.text
    assert job.run("id -u; echo from the third >> file", image=ImageRef(users)) == StageResult("exited", 0), job.text
    assert job.run("cat file") == StageResult("exited", 0)
    assert job.text == "from the first\nfrom the second\nfrom the third\n"
    assert until(lambda: len(containers(job=str(job.build.job_id))) == 1)


def test_a_job_has_no_rights_over_its_host(job: Job) -> None:
    job.run(
        "grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status; ls /dev; mknod /tmp/x b 7 0 || echo no devices; "
        "mount -t tmpfs none /mnt || echo no mounts"
    )
    assert "NoNewPrivs:\t1" in job.text
    effective = next(int(line.split()[1], 16) for line in job.text.splitlines() if line.startswith("CapEff"))
    for number in (12, 13, 19, 21, 27):  # NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_ADMIN, MKNOD
        assert not effective >> number & 1
    assert "no devices" in job.text
    assert "no mounts" in job.text
    assert "kvm" not in job.text.split()


def test_a_job_sees_no_other_mounts_of_the_host(job: Job, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    job.run(f"cat {tmp_path}/secret {Path.home()}/.bashrc; awk '{{print $2}}' /proc/mounts")
    assert "secret\n" not in job.text.replace(f"{tmp_path}/secret", "")
    mounted = {line for line in job.text.splitlines() if line.startswith("/builds")}
    assert mounted == {"/builds/group/project", "/builds/group/project.tmp"}


def memory_is_delegated() -> bool:
    host = json.loads(podman("info", "--format", "json"))["host"]
    return host["cgroupVersion"] == "v2" and "memory" in host["cgroupControllers"]


def test_running_out_of_memory_is_told(another: Another, start: Start) -> None:
    if not memory_is_delegated():
        pytest.skip("cgroups v2 does not delegate the memory controller here")
    made = another(memory=64 << 20)
    result = start(made).run("tail -c 1g /dev/zero > /dev/null")
    assert result.exit_code == 137 or "out of memory" in result.detail


def test_a_fork_bomb_is_bounded(another: Another, start: Start) -> None:
    made = another(pids_limit=200, grace=0.2)
    job = start(made)
    job.run("sh -c 'i=0; while [ $i -lt 400 ]; do sleep 60 & i=$((i+1)); done; echo all started'", timeout=20)
    assert "fork" in job.text
    assert "all started" not in job.text


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


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base_image: str) -> Iterator[str]:
    """A registry on loopback that has the base image as `team/tool:1`; gives that image's whole name."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{tmp_path}/store'}}}}\n"
    )
    (tmp_path / "registries.conf").write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    process = subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "registry.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    name = f"{address}/team/tool:1"
    try:
        assert until(lambda: answers(address), 20)
        podman("push", "--quiet", base_image, name)
        yield name
    finally:
        process.terminate()
        process.wait()
        subprocess.run(["podman", "rmi", "--force", name], capture_output=True, check=False)


def answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
        return True
    return False


def test_an_image_is_pulled_by_policy(registry: str, executor: PodmanExecutor, start: Start) -> None:
    policies = ("always", "if-not-present", "never")
    made = PodmanExecutor(
        PodmanSettings(allowed_pull_policies=policies), executor.helper
    )  # a service that knows the registry
    try:
        with pytest.raises(ImagePullError):
            start(made, image=ImageRef(registry, pull_policy=("never",)))
        for policy, pulls in (("if-not-present", True), ("if-not-present", False), ("always", True), ("never", False)):
            job = start(made, image=ImageRef(registry, pull_policy=(policy,)))
            assert (b"Pulling image" in job.prepared) == pulls
            assert job.run("true") == StageResult("exited", 0)
        with pytest.raises(ImagePullError, match=r"manifest unknown|not found"):
            start(made, image=ImageRef(registry.replace("tool", "absent")))
    finally:
        made.close()


def test_an_image_is_for_the_platform_that_the_job_names(
    registry: str, executor: PodmanExecutor, start: Start, base_image: str
) -> None:
    own = f"linux/{architecture()}"
    assert start(image=ImageRef(base_image, platform=own)).run("true") == StageResult("exited", 0)
    with pytest.raises(ImagePullError, match=f"is here for {own}.*, not for linux/s390x"):
        start(image=ImageRef(base_image, platform="linux/s390x"))
    made = PodmanExecutor(PodmanSettings(), executor.helper)
    try:
        job = start(made, image=ImageRef(registry, platform=own))
        assert b"Pulling image" in job.prepared
        assert job.run("true") == StageResult("exited", 0)
        with pytest.raises(ImagePullError):
            start(made, image=ImageRef(registry, platform="linux/s390x"))
    finally:
        made.close()


def test_a_ctrl_c_for_the_runner_does_not_reach_what_it_still_needs(executor: PodmanExecutor) -> None:
    service, helper = executor._service, executor.helper
    assert service is not None
    assert service._child is not None
    for process in (service._child, helper._process):  # type: ignore[attr-defined]
        assert os.getsid(process.pid) != os.getsid(0)
