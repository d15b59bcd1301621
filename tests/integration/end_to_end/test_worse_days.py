"""Programs that stop at bad moments, together or again and again; many jobs at once; the other database."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, RunnerConfig
from runner.daemon import Daemon as DaemonInThread
from runner.executor.fake import FakeExecutor
from runner.job.run import Host
from tests import postgresql
from tests.integration.conftest import unavailable
from tests.integration.runner_daemon import Daemon
from tests.integration.stack import ENDED, Server, script_output, wait_until, working_copy
from tests.unit.runner.plain_workspaces import PlainWorkspaces

LONG = "image: localhost/skerry/base\nlong: {script: [echo started, sleep 600]}"
NEXT = "image: localhost/skerry/base\nnext: {script: ['true']}"


@pytest.mark.podman
def test_both_programs_killed_in_mid_job_come_back_to_a_right_end(repository, runner, containers):
    pipeline = repository.start(LONG)
    job = repository.wait_for_job(pipeline["id"], "long", "running")
    repository.wait_for_trace(job, b"started\n")
    repository.server.kill()
    runner.kill()
    repository.server.start()
    runner.start()
    lost = repository.wait_for_job(pipeline["id"], "long", "failed", seconds=30)
    assert lost["failure_reason"] == "runner_system_failure"
    assert b"started\n" in repository.trace(job)
    containers.gone(job["id"], seconds=15)
    repository.must_pass(repository.run(NEXT))


@pytest.mark.podman
def test_of_thirty_jobs_on_two_slots_each_runs_exactly_once(repository, runner):
    names = [f"job {number}" for number in range(30)]
    head = "image: localhost/skerry/base\nvariables: {GIT_STRATEGY: none}\n"
    pipeline = repository.start(head + "".join(f"{name}: {{script: [echo ran]}}\n" for name in names))
    repository.must_pass(repository.wait(pipeline["id"], seconds=120))
    listed = repository.server.api(
        "GET", f"{repository.api_path}/pipelines/{pipeline['id']}/jobs?per_page=100&include_retried=true"
    )
    assert sorted(job["name"] for job in listed) == sorted(names)
    assert {script_output(repository.trace(job)) for job in listed[::7]} == {b"ran\n"}
    received = Counter(re.findall(r'"job received".* job=(\d+)', (runner.folder / "runner.log").read_text()))
    assert {received[str(job["id"])] for job in listed} == {1}


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """A host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.podman
def test_a_runner_stops_in_the_middle_of_a_pull(repository, runner, silent_registry):
    pipeline = repository.start(f"pulling: {{image: '{silent_registry}/x:1', script: ['true']}}")
    job = repository.wait_for_job(pipeline["id"], "pulling", "running")
    repository.wait_for_trace(job, b"Pulling image")
    process = runner.process
    started = time.monotonic()
    process.terminate()
    time.sleep(0.3)
    process.terminate()  # a person who does not want to wait for running jobs
    process.wait(timeout=30)
    assert time.monotonic() - started < 15
    ended = repository.jobs(pipeline["id"])["pulling"]
    assert (ended["status"], ended["failure_reason"]) == ("failed", "runner_interrupted")
    runner.start()
    repository.must_pass(repository.run(NEXT))


@pytest.fixture
def take_turns(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A daemon in this process: it starts in a moment, so that it can be stopped very often."""
    monkeypatch.setattr("runner.daemon.signal.signal", lambda number, handler: None)
    token = server.cli("runner", "create", "--tags", "turns")
    settings = RunnerConfig(name="turns", url=server.url, token=token, executor="fake")
    config = Config(tmp_path / "config.toml", tmp_path / "data", concurrent=2, runners=(settings,))

    def host(config: Config, runner: RunnerConfig, system_id: str, boot: str) -> Host:
        return Host(runner, FakeExecutor(grace=1), PlainWorkspaces(tmp_path / "workspaces"), system_id, boot)

    def start() -> tuple[DaemonInThread, threading.Thread]:
        daemon = DaemonInThread(config, host)
        thread = threading.Thread(target=daemon.run)
        thread.start()
        return daemon, thread

    return start


def test_thirty_stops_while_jobs_arrive_leave_no_job_behind(repository, take_turns):
    repository.commit({".gitlab-ci.yml": "one: {tags: [turns], script: ['true']}\n"})
    repository.push(options=("ci.skip",))
    for turn in range(30):
        daemon, thread = take_turns()
        time.sleep(0.02 * (turn % 10))
        asked = threading.Thread(
            target=repository.server.api, args=("POST", f"{repository.api_path}/pipeline", {"ref": "main"})
        )
        asked.start()
        time.sleep(0.01 * (turn % 7))
        daemon.stop()
        thread.join(20)
        assert not thread.is_alive()
        asked.join()
    daemon, thread = take_turns()
    path = f"{repository.api_path}/pipelines?per_page=100"
    try:
        wait_until(
            "all pipelines end",
            lambda: all(one["status"] in ENDED for one in repository.server.api("GET", path)),
            seconds=90,
        )
        assert Counter(one["status"] for one in repository.server.api("GET", path)) == {"success": 30, "skipped": 1}
    finally:
        daemon.stop()
        thread.join(20)


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if postgresql.binaries() is None:
        unavailable("PostgreSQL's server binaries are not on this host")
    with postgresql.run_server() as database_server, database_server.database() as name:
        settings = {"SKERRY_DATABASE_URL": database_server.url(name)}
        server = Server(tmp_path_factory.mktemp("on-postgresql") / "data", settings=settings)
        server.prepare()
        server.start()
        yield server
        server.stop()


@pytest.fixture
def its_runner(on_postgresql: Server, runner_user: Any, runner_folder: Path, base_image: str) -> Iterator[Daemon]:
    folder = runner_folder / "postgresql"
    runner_user.run(["mkdir", str(folder)])
    daemon = Daemon(runner_user, folder)
    daemon.register(on_postgresql)
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.mark.podman
@pytest.mark.postgresql
def test_a_pipeline_runs_on_postgresql_from_push_to_end(on_postgresql, its_runner, tmp_path):
    made = on_postgresql.api("POST", "/projects", {"path": "elephant"})
    repository = working_copy(on_postgresql, made["path_with_namespace"], tmp_path / "work")
    pipeline = repository.run("""
image: localhost/skerry/base
stages: [build, test, deploy]
build: {stage: build, script: [echo built >result], artifacts: {paths: [result]}}
one: {stage: test, script: [grep built result]}
two: {stage: test, script: [exit 1], allow_failure: true}
flaky: {stage: test, retry: 1, script: ['test "$CI_JOB_ID" -gt 0 && exit 1'], allow_failure: true}
deploy: {stage: deploy, needs: [one], script: [echo deployed]}
""")
    repository.must_pass(pipeline)
    statuses = {name: job["status"] for name, job in repository.jobs(pipeline["id"]).items()}
    assert statuses == {"build": "success", "one": "success", "two": "failed", "flaky": "failed", "deploy": "success"}
    running = repository.start(LONG)
    job = repository.wait_for_job(running["id"], "long", "running")
    repository.wait_for_trace(job, b"started\n")
    on_postgresql.kill()
    on_postgresql.start()
    on_postgresql.api("POST", f"{repository.api_path}/jobs/{job['id']}/cancel")
    repository.wait_for_job(running["id"], "long", "canceled", seconds=20)
