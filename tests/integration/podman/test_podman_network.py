"""The network of a job: the server on this host's loopback can be reached, nothing else there, services by name."""

import http.server
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner import doctor_podman
from runner.doctor_base import Check
from runner.executor.base import ExecutorError, ImageRef, ServiceRef, StageResult
from runner.executor.podman import PodmanExecutor
from tests.integration.podman.conftest import Job
from tests.integration.podman.images import derived, podman
from tests.integration.stack import wait_until
from tests.unit.runner.workspace.upstream import PASSWORD, USER, GitServer, make_upstream

pytestmark = pytest.mark.podman
Start = Callable[..., Job]
Another = Callable[..., PodmanExecutor]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """A git server on loopback with a repository, behind the job token."""
    folder = tmp_path_factory.mktemp("served")
    make_upstream(folder / "group").commit({"file": "cloned with the job token\n"})
    made = GitServer(folder)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def near(start: Start, server: GitServer) -> Job:
    """A job whose server listens on loopback only."""
    return start(server_urls=(server.url,))


@pytest.fixture(scope="module")
def web_image(base_image: str) -> str:
    command = 'CMD ["sh", "-c", "httpd -f -p 8080 -h /www"]'
    return derived("web", command, "EXPOSE 8080", script="mkdir /www && echo service $HOSTNAME > /www/index.html")


def test_a_clone_with_the_job_token_works_from_inside_the_job(near: Job, server: GitServer) -> None:
    job = near
    url = server.url.replace("http://", f"http://{USER}:{PASSWORD}@")
    result = job.run(f"git clone -q {url}/group/bare.git copy && cat copy/file")
    assert result == StageResult("exited", 0), job.text
    assert job.text == "cloned with the job token\n"


def test_other_ports_of_the_hosts_loopback_stay_closed(near: Job) -> None:
    job = near
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        job.run(
            f"for host in 127.0.0.1 10.0.2.2 host.containers.internal; do "
            f"wget -T 2 -q -O- http://$host:{port}/ || echo closed; done"
        )
        assert job.text.count("closed") == 3, job.text
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_the_way_to_the_server_carries_large_answers(start: Start) -> None:
    size = 30_000_000

    class Large(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(bytes(size))

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Large) as large:
        threading.Thread(target=large.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            job = start(server_urls=(f"http://localhost:{large.server_address[1]}",))
            job.run(f"wget -q -O- http://localhost:{large.server_address[1]}/ | wc -c")
            assert job.text == f"{size}\n"
        finally:
            job.environment.close()
            large.shutdown()


def test_all_the_names_of_the_server_work_at_once(start: Start, server: GitServer) -> None:
    port = server.server_address[1]
    job = start(server_urls=(f"http://127.0.0.1:{port}", f"http://localhost:{port}", f"http://127.0.0.3:{port}"))
    for host in ("127.0.0.1", "localhost"):
        result = job.run(f"git ls-remote -q http://{USER}:{PASSWORD}@{host}:{port}/group/bare.git HEAD")
        assert result == StageResult("exited", 0), job.text
    job.run(f"nc 127.0.0.3 {port} </dev/null && echo open")
    assert job.text == "open\n", "the relay listens where the name says, and ends when nobody is behind it"


def test_without_a_network_there_is_only_loopback(start: Start, another: Another) -> None:
    made = another(network="none")
    job = start(made)
    job.run("ls /sys/class/net")
    assert job.text == "lo\n"
    with pytest.raises(ExecutorError, match="no network"):
        start(made, services=(ServiceRef(ImageRef("localhost/skerry/base")),))


def test_services_are_reached_by_name_and_go_with_the_job(start: Start, web_image: str) -> None:
    services = (ServiceRef(ImageRef(web_image), ("web", "shop.local")), ServiceRef(ImageRef(web_image), ("second",)))
    job = start(services=services)
    result = job.run(
        "set -e; for name in web shop.local second localhost__skerry-test__web; do wget -q -O- http://$name:8080/; done"
    )
    assert result == StageResult("exited", 0), job.text
    assert job.text.count("service") == 4
    label = f"label=skerry.job={job.build.job_id}"
    assert len(podman("ps", "--quiet", "--filter", label).split()) == 3
    job.environment.close()
    job.executor.settle()
    assert podman("ps", "--all", "--quiet", "--filter", label) == ""
    assert podman("network", "ls", "--quiet", "--filter", label) == ""


def test_a_service_gets_its_own_variables_and_no_secret_of_the_job(start: Start, web_image: str) -> None:
    command = ("sh", "-c", "mkdir -p /w; echo $PUBLIC $OWN $SECRET. > /w/index.html; exec httpd -f -p 8080 -h /w")
    service = ServiceRef(ImageRef(web_image), ("web",), command, {"PUBLIC": "job", "OWN": "service"})
    job = start(services=(service,), environment={"SECRET": "hush", "OWN": "the job's"})
    job.run("wget -q -O- http://web:8080/")
    assert job.text == "job service .\n"


def test_a_service_that_ends_at_once_is_a_warning_with_its_last_words(start: Start, web_image: str) -> None:
    command = ("sh", "-c", "echo no password given; exit 3")
    job = start(services=(ServiceRef(ImageRef(web_image), ("web",), command),))
    said = job.prepared.decode()
    assert f"WARNING: Service {web_image} probably didn't start properly" in said
    assert "the service ended with exit code 3" in said
    assert "Service container logs:\nno password given\n" in said
    assert job.run("true") == StageResult("exited", 0)


def test_a_service_that_opens_no_port_in_time_is_a_warning(start: Start, another: Another, web_image: str) -> None:
    service = ServiceRef(ImageRef(web_image), ("web",), ("sh", "-c", "echo still thinking; exec sleep 60"))
    job = start(another(service_timeout=1.0), services=(service,))
    said = job.prepared.decode()
    assert "no port answered within 1 seconds (tried 8080)" in said
    assert "still thinking" in said


def test_the_port_to_wait_for_can_be_named(start: Start, web_image: str) -> None:
    command = ("sh", "-c", "exec httpd -f -p 9090 -h /www")
    service = ServiceRef(ImageRef(web_image), ("web",), command, {"HEALTHCHECK_TCP_PORT": "9090"})
    job = start(services=(service,))
    assert "WARNING" not in job.prepared.decode()
    assert job.run("wget -q -O- http://web:9090/") == StageResult("exited", 0), job.text


def test_services_are_found_by_name_from_the_first_line_on(start: Start, web_image: str) -> None:
    service = ServiceRef(ImageRef(web_image), ("web", "a." + "b" * 70))
    for _ in range(3):
        job = start(services=(service,))
        assert job.run("nslookup web") == StageResult("exited", 0), job.text
        job.environment.close()


def test_what_services_print_is_shown_while_they_are_debugged(start: Start, web_image: str) -> None:
    command = ("sh", "-c", "echo ready; httpd -p 8080 -h /www; while sleep 0.1; do echo tick; done")
    services = tuple(ServiceRef(ImageRef(web_image), (name,), command) for name in ("first", "second"))
    job = start(services=services, environment={"CI_DEBUG_SERVICES": "true"})
    said = job.prepared
    until = time.monotonic() + 20
    while not (b"[service:first] tick\n" in said and b"[service:second] tick\n" in said):
        assert time.monotonic() < until, said.decode()
        time.sleep(0.05)
    assert b"[service:first] ready\n" in said
    job.environment.stop()
    size = len(said)
    time.sleep(0.5)
    assert len(said) == size, "nothing may come behind the job's last line"


def test_the_doctor_finds_that_bridges_work_and_leaves_none(base_image: str) -> None:
    assert doctor_podman.bridges() == Check("bridges", True, "jobs can have services")
    assert "skerry-doctor" not in podman("network", "ls", "--quiet")


def _name_servers(folder: Path) -> list[Path]:
    """The name server's files of networks, and its process where there still is one."""
    found = [path for path in folder.iterdir() if path.name != "aardvark.pid"]
    with suppress(OSError, ValueError):
        process = Path("/proc", str(int((folder / "aardvark.pid").read_text())))
        found += [process] if process.exists() else []
    return found


def test_what_the_name_server_kept_of_a_lost_network_misleads_no_job(
    executor: PodmanExecutor, start: Start, web_image: str
) -> None:
    store = executor._client.request("GET", "/info")["store"]
    stale = Path(store["runRoot"], "networks", "aardvark-dns", f"skerry-lost-{os.getpid()}")
    foreign = stale.with_name(f"others-{os.getpid()}")
    stale.parent.mkdir(parents=True, exist_ok=True)
    # The networks of the tests before go in the background. A name server that is about to end would read these files.
    executor.remove_orphans("no such runner", "boot")
    wait_until("no name server is left", lambda: not _name_servers(stale.parent))
    for path in (stale, foreign):
        path.write_text("10.250.0.1\n" + "0" * 64 + " 10.250.0.3  lost\n")
    try:
        executor.remove_orphans("no such runner", "boot")
        assert (stale.exists(), foreign.exists()) == (False, True)
    finally:
        foreign.unlink()
    service = ServiceRef(ImageRef(web_image), ("web",))
    assert start(services=(service,)).run("nslookup web") == StageResult("exited", 0)
