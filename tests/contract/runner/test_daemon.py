"""Claiming, stopping, and coming back: the daemon's promises at a plain GitLab server."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from runner.config import load
from runner.protocol.client import RunnerClient
from runner.protocol.info import runner_info
from runner.protocol.outcomes import VerifyState
from runner.protocol.transport import Transport
from tests.contract.runner.fake_gitlab import REGISTRATION_TOKEN, RUNNER_TOKEN
from tests.contract.runner.served_job import checksum

ROOT = Path(__file__).parents[3]


def wait_until(look, seconds=15):
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def cli(*words, config, **environment):
    return subprocess.run(
        [sys.executable, "-m", "runner", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SKERRY_RUNNER_CONFIG": str(config), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_register_asks_the_server_and_writes_a_private_file(gitlab, tmp_path):
    path = tmp_path / "etc" / "config.toml"
    path.parent.mkdir()
    path.write_text(f'# mine\nconcurrent = 4 # four\ndata_dir = "{tmp_path}/data"\n')
    done = cli("register", "--url", gitlab.url + "/", "--name", "one", config=path, CI_SERVER_TOKEN=RUNNER_TOKEN)
    assert done.returncode == 0, done.stderr
    assert RUNNER_TOKEN not in done.stdout + done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    config, warnings = load(path)
    assert warnings == []
    assert (config.concurrent, config.runners[0].url, config.runners[0].id) == (4, gitlab.url, 12)
    assert "# mine\nconcurrent = 4 # four\n" in path.read_text()
    assert cli("register", "--url", gitlab.url, config=path, CI_SERVER_TOKEN=RUNNER_TOKEN).returncode == 0
    assert len(load(path)[0].runners) == 1
    assert "glrt" not in cli("list", config=path).stdout
    assert cli("verify", config=path).returncode == 0
    assert cli("unregister", "--all-runners", config=path).returncode == 0
    assert load(path)[0].runners == ()
    assert gitlab.calls("DELETE", "/runners")[0]["token"] == RUNNER_TOKEN


def test_register_with_a_registration_token_makes_the_runner_first(gitlab, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(f'data_dir = "{tmp_path}/data"\n')
    words = ("register", "--url", gitlab.url, "--description", "mine", "--tag-list", "a, b,", "--locked")
    done = cli(*words, config=path, REGISTRATION_TOKEN=REGISTRATION_TOKEN)
    assert done.returncode == 0, done.stderr
    [asked] = gitlab.calls("POST", "/runners")
    del asked["info"]
    assert asked == {
        "token": REGISTRATION_TOKEN, "description": "mine", "tag_list": "a,b",
        "run_untagged": False, "locked": True, "paused": False,
    }  # fmt: skip
    [runner] = load(path)[0].runners
    assert (runner.token, runner.name) == (RUNNER_TOKEN, "mine")


def test_a_runner_without_tags_takes_the_jobs_without_tags(gitlab, tmp_path):
    assert cli("register", "--url", gitlab.url, "-r", REGISTRATION_TOKEN, config=tmp_path / "c.toml").returncode == 0
    assert gitlab.calls("POST", "/runners")[0]["run_untagged"] is True


def test_a_wrong_registration_token_and_wishes_beside_a_runner_token_are_refused(gitlab, tmp_path):
    path = tmp_path / "config.toml"
    wrong = cli("register", "--url", gitlab.url, "-r", "wrong-token", config=path)
    assert (wrong.returncode, "403" in wrong.stderr, "wrong-token" in wrong.stderr) == (1, True, False)
    done = cli("register", "--url", gitlab.url, "--token", RUNNER_TOKEN, "--tag-list", "a", config=path)
    assert done.returncode == 2
    assert not path.exists()


def test_register_refuses_what_the_server_refuses(gitlab, tmp_path):
    path = tmp_path / "config.toml"
    done = cli("register", "--url", gitlab.url, "--token", "glrt-wrong", config=path, XDG_DATA_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "403" in done.stderr
    assert not path.exists()


def test_verify_tells_a_refused_token_from_a_server_that_is_away(gitlab):
    def verify(token):
        return RunnerClient(Transport(gitlab.url), token, "s_abc", runner_info("fake", {})).verify()

    assert verify(RUNNER_TOKEN).state is VerifyState.VALID
    assert verify("glrt-other").state is VerifyState.INVALID
    gitlab.stop()
    assert verify(RUNNER_TOKEN).state is VerifyState.UNKNOWN


def test_a_poll_says_what_a_stock_server_reads(gitlab, serve):
    serve()
    wait_until(lambda: len(gitlab.calls("POST", "/jobs/request")) >= 2)
    first, second = gitlab.calls("POST", "/jobs/request")[:2]
    assert first["token"] == RUNNER_TOKEN
    assert first["system_id"][:2] in ("s_", "r_")
    assert "last_update" not in first
    assert second["last_update"] == "now"
    features = first["info"]["features"]
    assert {"cancel_gracefully", "trace_checksum", "vault_secrets", "two_phase_job_commit"} <= set(features)
    assert features["vault_secrets"] is False


def test_concurrent_bounds_the_jobs_at_once(gitlab, serve, tmp_path):
    def script(name):
        return [f"touch {tmp_path}/{name}", f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"]

    jobs = [gitlab.add_job(script(f"job{i}")) for i in range(3)]
    serve(concurrent=2)
    wait_until(lambda: (tmp_path / "job0").exists() and (tmp_path / "job1").exists())
    time.sleep(0.3)
    assert not (tmp_path / "job2").exists()
    (tmp_path / "go").touch()
    for job in jobs:
        assert job.ended.wait(15)


def test_limit_bounds_one_runners_jobs(gitlab, serve, tmp_path):
    jobs = [gitlab.add_job([f"mkdir {tmp_path}/only", "sleep 0.2", f"rmdir {tmp_path}/only"]) for _ in range(3)]
    serve(concurrent=3, runner={"limit": 1, "request_concurrency": 3})
    for job in jobs:
        assert job.ended.wait(15)
        assert job.status == "success", bytes(job.trace)


def test_three_refusals_in_a_row_end_the_questions_for_a_while(gitlab, serve):
    gitlab.poll_status.extend([403, 403, 204, 403, 403, 403])
    serve(runner={"unhealthy_interval": 0.6})
    wait_until(lambda: not gitlab.poll_status)
    asked = len(gitlab.calls("POST", "/jobs/request"))
    time.sleep(0.3)
    assert len(gitlab.calls("POST", "/jobs/request")) == asked
    wait_until(lambda: len(gitlab.calls("POST", "/jobs/request")) > asked)


@pytest.mark.parametrize("status", [500, 409, 404, 422, 503])
def test_other_refusals_change_nothing(gitlab, serve, status):
    gitlab.poll_status.append(status)
    job = gitlab.add_job(["true"])
    serve()
    assert job.ended.wait(15)


def test_a_job_that_cannot_be_read_is_reported_failed(gitlab, serve):
    job = gitlab.add_job([], steps="nonsense")
    serve()
    assert job.ended.wait(15)
    assert (job.final["state"], job.final["failure_reason"]) == ("failed", "runner_system_failure")


def test_stopping_waits_for_running_jobs(gitlab, serve):
    job = gitlab.add_job(["echo started", "sleep 0.7", "echo done"])
    other = None
    running = serve()
    job.wait_for_text(b"started\n")
    running.stop()
    other = gitlab.add_job(["true"])
    running.join()
    assert job.status == "success"
    assert other.status in ("pending", "failed")
    assert running.workspaces.closed


def test_a_job_that_arrives_after_the_signal_is_given_back(gitlab, serve):
    gitlab.parked = 5
    running = serve()
    assert gitlab.polled.acquire(timeout=10)
    running.stop()
    time.sleep(0.1)
    job = gitlab.add_job(["echo never"])
    running.join()
    assert (job.final["state"], job.final["failure_reason"]) == ("failed", "runner_system_failure")
    assert not job.trace


def test_a_server_that_takes_jobs_back_gets_this_one_back(gitlab, serve):
    gitlab.parked = 5
    gitlab.features = {"skerry_hand_back": True}
    running = serve()
    assert gitlab.polled.acquire(timeout=10)
    running.stop()
    time.sleep(0.1)
    job = gitlab.add_job(["echo never"])
    running.join()
    assert [update["state"] for update in job.updates] == ["pending"]


def test_a_server_that_sees_half_closed_polls_is_not_waited_for(gitlab, serve):
    gitlab.parked = 8
    gitlab.extensions = "skerry_steps skerry_hand_back"
    running = serve()
    assert gitlab.polled.acquire(timeout=10)
    started = time.monotonic()
    running.stop()
    running.join()
    assert time.monotonic() - started < 5


def test_the_second_signal_ends_running_jobs_and_says_why(gitlab, serve):
    job = gitlab.add_job(["echo started", "sleep 60"])
    running = serve(shutdown_timeout=60)
    job.wait_for_text(b"started\n")
    running.stop()
    running.stop()
    running.join()
    assert (job.final["state"], job.final["failure_reason"]) == ("failed", "runner_system_failure")
    assert b"the runner was stopped" in job.trace
    assert running.workspaces.created[0].removed


def test_a_job_that_outlasts_the_shutdown_is_ended(gitlab, serve):
    job = gitlab.add_job(["echo started", "sleep 60"])
    running = serve(shutdown_timeout=0.3)
    job.wait_for_text(b"started\n")
    running.stop()
    running.join()
    assert job.status == "failed"


def test_a_result_that_could_not_be_delivered_is_delivered_by_the_next_run(gitlab, serve, tmp_path):
    job = gitlab.add_job(["echo started", f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done", "exit 4"])
    running = serve(shutdown_timeout=0.5)
    job.wait_for_text(b"started\n")
    gitlab.stop()
    (tmp_path / "go").touch()
    wait_until(lambda: running.workspaces.created[0].removed)
    running.stop()
    running.stop()
    running.join(40)
    gitlab.start()
    serve()
    assert job.ended.wait(15)
    assert (job.final["state"], job.final["exit_code"]) == ("failed", 4)
    assert job.final["output"]["checksum"] == checksum(job.trace)
    assert b"exit code 4" in job.trace


def test_after_kill_9_the_next_run_reports_the_job_failed_at_once(gitlab, config, tmp_path):
    program = textwrap.dedent(
        """
        import sys, pathlib
        from runner.config import load
        from runner.daemon import Daemon
        from runner.executor.fake import FakeExecutor
        from runner.job.run import Host
        from tests.unit.runner.plain_workspaces import PlainWorkspaces
        def host(config, runner, system_id, boot):
            return Host(runner, FakeExecutor(), PlainWorkspaces(pathlib.Path(sys.argv[2])), system_id, boot)
        Daemon(load(pathlib.Path(sys.argv[1]))[0], host).run()
        """
    )
    path = tmp_path / "config.toml"
    path.write_text(
        f'data_dir = "{tmp_path}/data"\ncheck_interval = 0.05\n'
        f'[[runners]]\nname = "x"\nurl = "{gitlab.url}"\ntoken = "{RUNNER_TOKEN}"\nexecutor = "fake"\n'
    )

    def start():
        words = [sys.executable, "-c", program, str(path), str(tmp_path / "work")]
        return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    marker = tmp_path / "pid"
    job = gitlab.add_job(["echo started", f"echo $$ >{marker}", "exec sleep 60"])
    first = start()
    try:
        job.wait_for_text(b"started\n")
        wait_until(marker.exists)
    finally:
        first.kill()
        first.wait()
    second = start()
    try:
        assert job.ended.wait(10)
        assert (job.final["state"], job.final["failure_reason"]) == ("failed", "runner_system_failure")
        assert job.final["output"]["checksum"] == checksum(job.trace)
        assert b"the runner was stopped while it ran" in job.trace
        again = gitlab.add_job(["true"])
        assert again.ended.wait(10)
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
    finally:
        second.kill()
        second.wait()
        os.kill(int(marker.read_text()), signal.SIGKILL)


def test_two_daemons_do_not_share_a_data_folder(gitlab, serve):
    running = serve()
    wait_until(lambda: gitlab.calls("POST", "/jobs/request"))
    from runner.daemon import AlreadyRunningError, Daemon

    with pytest.raises(AlreadyRunningError):
        Daemon(running.config).run()
