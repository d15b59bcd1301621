"""What a job may not do to its host."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.executor.podman import PodmanExecutor
from tests.integration.podman.conftest import Job
from tests.integration.podman.images import podman

pytestmark = pytest.mark.podman
Start = Callable[..., Job]
Another = Callable[..., PodmanExecutor]


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
