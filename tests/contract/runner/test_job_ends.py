"""How jobs from a plain GitLab server end: failed, out of time, canceled, aborted."""

import time

from tests.contract.runner.outcomes import finished


def test_a_failing_script_ends_with_its_exit_code(gitlab, serve):
    job = gitlab.add_job(["echo before", "exit 3", "echo never"])
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"], final["exit_code"]) == ("failed", "script_failure", 3)
    assert b"\nnever" not in job.trace
    assert b"ERROR: Job failed: exit code 3" in job.trace


def test_a_final_state_that_is_still_pending_is_asked_for_again(gitlab, serve):
    job = gitlab.add_job(["true"])
    job.pending_finals = 3
    serve()
    finished(job)
    assert [update["state"] for update in job.updates].count("success") == 4


def test_a_job_that_runs_too_long_is_stopped_and_says_so(gitlab, serve):
    after = {"name": "after_script", "script": ["echo after $CI_JOB_STATUS"], "when": "always"}
    script = {"name": "script", "script": ["sleep 60"]}
    job = gitlab.add_job([], steps=[script, after], runner_info={"timeout": 1})
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "job_execution_timeout")
    assert b"after timedout" in job.trace


def test_a_script_may_have_less_time_than_its_job(gitlab, serve):
    job = gitlab.add_job(["sleep 60"], variables=[{"key": "RUNNER_SCRIPT_TIMEOUT", "value": "500ms"}])
    serve()
    assert finished(job)["failure_reason"] == "job_execution_timeout"


def test_after_script_has_a_time_of_its_own(gitlab, serve):
    steps = [{"name": "script", "script": ["true"]}, {"name": "after_script", "script": ["sleep 60"], "when": "always"}]
    job = gitlab.add_job([], steps=steps, variables=[{"key": "RUNNER_AFTER_SCRIPT_TIMEOUT", "value": "300ms"}])
    serve()
    assert finished(job)["state"] == "success"
    assert b"after_script took longer" in job.trace


def test_a_graceful_cancel_stops_the_script_and_runs_after_script(gitlab, serve):
    steps = [
        {"name": "script", "script": ["echo started", "sleep 60"]},
        {"name": "after_script", "script": ["echo after $CI_JOB_STATUS"], "when": "always"},
    ]
    job = gitlab.add_job([], steps=steps, artifacts=[{"paths": ["README"], "when": "on_failure"}])
    serve()
    job.wait_for_text(b"started\n")
    job.status = "canceling"
    final = finished(job)
    assert final["state"] == "failed"
    assert final["failure_reason"] == "unknown_failure"
    assert job.status == "canceled"
    assert b"after canceled" in job.trace
    assert len(job.uploads) == 1


def test_an_abort_kills_at_once_and_sends_nothing_more(gitlab, serve, tmp_path):
    steps = [
        {"name": "script", "script": ["while :; do echo tick; sleep 0.05; done"]},
        {"name": "after_script", "script": [f"touch {tmp_path}/after"], "when": "always"},
    ]
    job = gitlab.add_job([], steps=steps)
    running = serve()
    job.wait_for_text(b"tick\ntick\n")
    job.status = "canceled"
    deadline = time.monotonic() + 10
    while not (running.workspaces.created and running.workspaces.created[0].removed):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not (tmp_path / "after").exists()
    assert [update["state"] for update in job.updates] == ["running"]


def test_a_job_that_was_cancelled_before_it_began_does_not_run(gitlab, serve, tmp_path):
    steps = [
        {"name": "script", "script": ["sleep 1", f"touch {tmp_path}/ran"]},
        {"name": "after_script", "script": ["true"], "when": "always"},
    ]
    job = gitlab.add_job([], steps=steps)
    job.claimed_as = "canceling"
    serve()
    assert finished(job)["state"] == "failed"
    assert job.status == "canceled"
    assert not (tmp_path / "ran").exists()


def test_a_job_with_what_this_runner_cannot_do_fails_and_says_what(gitlab, serve):
    job = gitlab.add_job([], run='[{"name":"x","script":"true"}]', steps=[])
    serve()
    final = finished(job)
    assert final["failure_reason"] == "script_failure"
    assert b"cannot run jobs with run" in job.trace
