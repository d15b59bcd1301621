"""The network of a job: the server on this host's loopback can be reached, nothing else there, services by name."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from runner import doctor_podman
from runner.doctor_base import Check
from runner.executor.base import ExecutorError, ImageRef, ServiceRef, StageResult
from runner.executor.podman import PodmanExecutor
from tests.integration.podman.conftest import Job
from tests.integration.podman.images import derived, podman
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


def test_a_service_gets_the_jobs_variables_and_its_own(start: Start, web_image: str) -> None:
    command = ("sh", "-c", "mkdir -p /w; echo $FROM_JOB $OWN > /w/index.html; exec httpd -f -p 8080 -h /w")
    service = ServiceRef(ImageRef(web_image), ("web",), command, {"OWN": "service"})
    job = start(services=(service,), environment={"FROM_JOB": "job", "OWN": "overwritten"})
    job.run("wget -q -O- http://web:8080/")
    assert job.text == "job service\n"


def test_a_service_that_ends_at_once_is_a_warning(start: Start, web_image: str) -> None:
    job = start(services=(ServiceRef(ImageRef(web_image), ("web",), ("false",)),))
    assert f"WARNING: Service {web_image} probably didn't start properly" in job.prepared.decode()
    assert job.run("true") == StageResult("exited", 0)


def test_the_doctor_finds_that_bridges_work_and_leaves_none(base_image: str) -> None:
    assert doctor_podman.bridges() == Check("bridges", True, "jobs can have services")
    assert "skerry-doctor" not in podman("network", "ls", "--quiet")
