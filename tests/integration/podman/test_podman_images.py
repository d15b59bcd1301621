"""Images that can and cannot be had, and what they may say about how a job starts."""

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.executor.base import Build, ConfigurationError, ExecutorError, ImagePullError, ImageRef, StageResult
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_settings import PodmanSettings
from runner.protocol.info import architecture
from tests.integration.podman.conftest import Job
from tests.integration.podman.images import derived, podman
from tests.integration.podman.watching import containers, until

pytestmark = pytest.mark.podman
Start = Callable[..., Job]
Another = Callable[..., PodmanExecutor]
MakeBuild = Callable[..., Build]


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
