"""What our own server may ask of a runner, and no other server gets: step reports, shells shared by steps, a
workspace.
"""

import pytest

from tests.contract.runner.outcomes import finished


@pytest.fixture
def ours(gitlab):
    gitlab.features = {**gitlab.features, "skerry_steps": True, "skerry_hand_back": True}
    return gitlab


def shared(name, *script, **fields):
    return {"name": name, "script": list(script), "own_shell": False, **fields}


def own(name, *script, **fields):
    return {"name": name, "script": list(script), "own_shell": True, **fields}


def steps_of(update):
    return [(step["position"], step["status"], step["exit_code"]) for step in update["steps"]]


def test_another_server_hears_nothing_of_steps(gitlab, serve):
    job = gitlab.add_job([], steps=[own("a", "X=1"), shared("b", "echo [$X]")])
    serve()
    finished(job)
    assert all("steps" not in update for update in job.updates)
    assert b"\n[]\n" in job.trace


def test_steps_are_reported_with_their_place_in_the_log(ours, serve):
    job = ours.add_job([], steps=[own("one", "echo 1"), own("two", "echo 2; exit 3"), own("three", "echo 3")])
    serve()
    final = finished(job)
    assert steps_of(final) == [(0, "success", 0), (1, "failed", 3), (2, "skipped", None)]
    one, two, three = final["steps"]
    text = bytes(job.trace)
    assert text[one["trace_start"] : one["trace_end"]] == b"\x1b[32;1m$ echo 1\x1b[0;m\n1\n"
    assert text[two["trace_start"] : two["trace_end"]].endswith(b"2\n")
    assert text[one["trace_end"] :].startswith(b"section_end:")
    assert one["started_at"] <= one["finished_at"] <= two["started_at"]
    assert one["started_at"].endswith("Z")
    assert (three["started_at"], three["trace_start"]) == (None, None)


def test_a_running_step_is_reported_while_it_runs(ours, serve, tmp_path):
    wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    job = ours.add_job([], steps=[own("one", "true"), own("two", wait)])
    serve()
    job.wait_for(lambda job: any(steps_of(u)[:2] == [(0, "success", 0), (1, "running", None)] for u in job.updates))
    (tmp_path / "go").touch()
    finished(job)


def test_steps_may_share_a_shell_and_are_still_told_apart(ours, serve):
    steps = [
        own("setup", "X=kept; cd /", errexit=False, pipefail=False),
        shared(
            "main", "echo [$X] $PWD $OWN", "false | true", pipefail=False, environment=[{"key": "OWN", "value": "o$X"}]
        ),
        shared("last", "printf partial; exit 5"),
        shared("never", "echo never"),
        own("after_script", "echo [$X]", when="always"),
    ]
    job = ours.add_job([], steps=steps, variables=[{"key": "X", "value": "job"}])
    serve()
    final = finished(job)
    assert (final["state"], final["exit_code"]) == ("failed", 5)
    assert steps_of(final) == [
        (0, "success", 0),
        (1, "success", 0),
        (2, "failed", 5),
        (3, "skipped", None),
        (4, "success", 0),
    ]
    text = bytes(job.trace)
    part = [text[step["trace_start"] : step["trace_end"]] for step in final["steps"] if step["trace_start"] is not None]
    assert b"[kept] / ojob\n" in part[1]
    assert part[2].endswith(b"\npartial")
    assert b"[job]\n" in part[3]
    assert b"skerry;" not in text
    for name in (b"step_setup", b"step_main", b"step_last"):
        assert text.count(b"section_start") == text.count(b"section_end")
        assert b":" + name + b"\r" in text


def test_the_last_line_alone_counts_where_the_step_says_so(ours, serve):
    good = ours.add_job([], steps=[own("a", "false", "true", errexit=False)])
    bad = ours.add_job([], steps=[own("a", "true", "(exit 6)", errexit=False)])
    serve()
    assert finished(good)["state"] == "success"
    assert finished(bad)["exit_code"] == 6


def test_a_step_may_fail_or_run_after_a_failure(ours, serve):
    steps = [
        own("may", "exit 1", allow_failure=True),
        own("ok", "echo second"),
        own("bad", "exit 2"),
        own("mend", "echo mended", when="on_failure"),
        own("always", "echo always", when="always"),
    ]
    job = ours.add_job([], steps=steps)
    serve()
    final = finished(job)
    assert final["exit_code"] == 2
    assert [status for _, status, _ in steps_of(final)] == ["failed", "success", "failed", "success", "success"]
    assert b"mended\n" in job.trace
    assert b"always\n" in job.trace


def test_a_step_has_its_own_time(ours, serve):
    job = ours.add_job([], steps=[own("slow", "sleep 60", timeout=1)])
    serve()
    assert finished(job)["failure_reason"] == "job_execution_timeout"


def test_a_silent_job_is_cancelled_within_seconds_though_nobody_watches(ours, serve):
    job = ours.add_job(["echo started", "sleep 1", "echo silent", "sleep 60"])
    serve()
    job.wait_for_text(b"started\n")
    job.wait_for(lambda job: job.updates)  # of the step
    job.interval = "60"  # said with the answer to the next piece of the log, which is the last one
    job.wait_for_text(b"silent\n")
    job.status = "canceling"
    assert job.ended.wait(4)
    assert job.status == "canceled"
