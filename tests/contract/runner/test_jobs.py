"""A job from the queue of a plain GitLab server to its result there."""

import io
import time
import zipfile

import pytest

from tests.contract.runner.fake_gitlab import checksum


def finished(job, seconds=20):
    assert job.ended.wait(seconds), f"the job did not end: {bytes(job.trace)!r} {job.updates}"
    return job.final


def output_of(trace, section="step_script"):
    """What stands between a section's heading and its end."""
    start = trace.index(f":{section}\r".encode())
    return trace[trace.index(b"\n", start) + 1 : trace.index(b"section_end", start)]


def test_a_job_runs_and_its_whole_log_arrives(gitlab, serve):
    job = gitlab.add_job(["echo one", "X=two", "echo $X; pwd"])
    running = serve()
    final = finished(job)
    assert final["state"] == "success"
    assert final["output"] == {"checksum": checksum(job.trace), "bytesize": len(job.trace)}
    assert "exit_code" not in final
    assert "failure_reason" not in final
    assert job.updates[0]["state"] == "running"
    folder = str(running.workspaces.created[0].path).encode()
    assert output_of(bytes(job.trace)) == (
        b"\x1b[32;1m$ echo one\x1b[0;m\none\n"
        b"\x1b[32;1m$ X=two\x1b[0;m\n"
        b"\x1b[32;1m$ echo $X; pwd\x1b[0;m\ntwo\n" + folder + b"\n"
    )
    assert job.trace.endswith(b"\x1b[32;1mJob succeeded\x1b[0;m\n")


def test_sections_stand_in_the_protocols_order(gitlab, serve):
    after = {"name": "after_script", "script": ["echo after $CI_JOB_STATUS"], "when": "always", "allow_failure": True}
    script = {"name": "script", "script": ["echo script"]}
    job = gitlab.add_job([], steps=[script, after], artifacts=[{"paths": ["README"]}])
    serve()
    finished(job)
    names = [part.split(b":")[1].split(b"\r")[0].decode() for part in bytes(job.trace).split(b"section_start:")[1:]]
    assert names == [
        "prepare_executor",
        "prepare_script",
        "get_sources",
        "step_script",
        "after_script",
        "upload_artifacts_on_success",
        "cleanup_file_variables",
    ]
    assert b"after success" in job.trace


def test_without_the_feature_there_are_no_section_markers(gitlab, serve):
    gitlab.features = {}
    job = gitlab.add_job(["echo plain"])
    serve()
    finished(job)
    assert b"section_" not in job.trace
    assert b"plain\n" in job.trace


def test_a_failing_script_ends_with_its_exit_code(gitlab, serve):
    job = gitlab.add_job(["echo before", "exit 3", "echo never"])
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"], final["exit_code"]) == ("failed", "script_failure", 3)
    assert b"\nnever" not in job.trace
    assert b"ERROR: Job failed: exit code 3" in job.trace


def test_after_script_knows_the_result_and_cannot_change_it(gitlab, serve):
    steps = [
        {"name": "script", "script": ["false"]},
        {"name": "after_script", "script": ["echo it $CI_JOB_STATUS", "exit 9"], "when": "always"},
    ]
    job = gitlab.add_job([], steps=steps)
    serve()
    final = finished(job)
    assert (final["state"], final["exit_code"]) == ("failed", 1)
    assert b"it failed" in job.trace


def test_a_masked_value_and_the_job_token_never_arrive(gitlab, serve):
    secret = {"key": "PASSWORD", "value": "hunter2hunter2", "masked": True, "public": False}
    script = ["printf hunter2; sleep 0.3; printf 'hunter2\\n'", "echo glcbt-token-of-job-1"]
    job = gitlab.add_job(script, variables=[secret])
    serve()
    finished(job)
    assert b"hunter2hunter2" not in job.trace
    assert job.token.encode() not in job.trace
    assert b"[MASKED]\n" in job.trace


def test_logins_of_registries_never_arrive_and_a_broken_list_of_them_is_said(gitlab, serve):
    config = '{"auths": {"r.example": {"username": "u", "password": "registry-word"}}}'
    known = {"key": "DOCKER_AUTH_CONFIG", "value": config, "public": False}
    credential = {"type": "registry", "url": "s.example", "username": "u", "password": "another-word"}
    job = gitlab.add_job(["echo registry-word another-word"], variables=[known], credentials=[credential])
    broken = gitlab.add_job(["true"], variables=[{**known, "value": "oops-word"}])
    serve()
    assert finished(job)["state"] == finished(broken)["state"] == "success"
    assert b"\n[MASKED] [MASKED]\n" in job.trace
    assert b"registry-word" not in job.trace
    assert b"another-word" not in job.trace
    assert b"DOCKER_AUTH_CONFIG is not JSON, ignored" in broken.trace
    assert b"oops-word" not in broken.trace


def test_a_masked_value_that_names_another_variable_is_hidden_as_it_is_printed(gitlab, serve):
    variables = [
        {"key": "HALF", "value": "swordfish"},
        {"key": "WHOLE", "value": "open-$HALF-sesame", "masked": True},
    ]
    job = gitlab.add_job(["echo is $WHOLE"], variables=variables)
    serve()
    finished(job)
    assert b"is [MASKED]\n" in job.trace
    assert b"swordfish" not in job.trace


def test_bytes_arrive_as_they_were_printed(gitlab, serve):
    zeros = "head -c 3000000 /dev/zero | tr '\\0' 'x'"
    job = gitlab.add_job([f"printf 'a\\000b\\377\\376\\r\\033[31mc'; {zeros}; printf '\\303'"])
    serve()
    finished(job)
    body = output_of(bytes(job.trace))
    assert body.partition(b"\n")[2] == b"a\0b\xff\xfe\r\x1b[31mc" + b"x" * 3_000_000 + b"\xc3"
    assert max(length for _, length, _ in job.patches) <= 1024 * 1024


def test_a_line_is_at_the_server_long_before_the_job_ends(gitlab, serve):
    job = gitlab.add_job(["sleep 0.5", "date +%s.%N", "sleep 1.5"])
    serve()
    job.wait_for(lambda job: b"sleep 1.5\x1b[0;m\n" in job.trace)
    arrived = time.time()
    printed = float(output_of(bytes(job.trace) + b"section_end").split(b"\n")[2])
    assert arrived - printed < 0.5
    assert job.status == "running"
    finished(job)


@pytest.mark.parametrize("faults", [[500], [503, 503], [0], [0, 0], [412], [404], [429]])
def test_a_fault_in_mid_log_loses_nothing(gitlab, serve, faults):
    job = gitlab.add_job([f"for i in $(seq 200); do echo line $i {'y' * 50}; done; sleep 0.3; echo last"])
    job.patch_faults.extend(faults)
    serve()
    final = finished(job)
    assert final["output"]["checksum"] == checksum(job.trace)
    assert final["output"]["bytesize"] == len(job.trace)
    assert output_of(bytes(job.trace)).count(b"\nline ") == 200


def test_a_log_that_the_server_finds_wrong_at_the_end_is_sent_again(gitlab, serve):
    job = gitlab.add_job(["echo hello"])
    serve()
    job.wait_for_text(b"hello\n")
    job.update_faults.append(412)
    final = finished(job)
    assert final["output"]["checksum"] == checksum(job.trace)
    assert job.patches[-1][0] == 0 or any(start == 0 for start, _, _ in job.patches[1:])


def test_a_final_state_that_is_still_pending_is_asked_for_again(gitlab, serve):
    job = gitlab.add_job(["true"])
    job.pending_finals = 3
    serve()
    finished(job)
    assert [update["state"] for update in job.updates].count("success") == 4


def test_a_server_that_is_away_in_mid_job_gets_everything_afterwards(gitlab, serve, tmp_path):
    gate = tmp_path / "gate"
    job = gitlab.add_job(["echo early", f"while [ ! -e {gate} ]; do sleep 0.05; done", "seq 1000"])
    serve()
    job.wait_for_text(b"early\n")
    gitlab.stop()
    gate.touch()
    time.sleep(0.5)
    gitlab.start()
    final = finished(job)
    assert final["state"] == "success"
    assert final["output"]["checksum"] == checksum(job.trace)
    assert b"\n999\n1000\n" in job.trace


def test_artifacts_of_other_jobs_come_in_and_own_ones_go_out(gitlab, serve):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("from-build.txt", "built")
    gitlab.artifacts[90] = archive.getvalue()
    gitlab.download_faults.append(500)
    file = {"filename": "a.zip", "size": 1}
    dependency = {"id": 90, "name": "build", "token": "glcbt-token-of-job-1", "artifacts_file": file}
    artifact = {"name": "out-$CI_JOB_ID", "paths": ["*.txt"], "expire_in": "1 week", "artifact_type": "archive"}
    job = gitlab.add_job(
        ["cat from-build.txt", "echo mine >own.txt"],
        dependencies=[dependency, {"id": 91, "name": "without", "token": "x"}],
        artifacts=[artifact, {"paths": ["nothing"], "when": "on_failure"}],
    )
    serve()
    assert finished(job)["state"] == "success"
    [(query, filename, content)] = job.uploads
    assert query == {"artifact_type": "archive", "artifact_format": "zip", "expire_in": "1 week"}
    assert filename == "out-1.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert sorted(opened.namelist()) == ["from-build.txt", "own.txt"]


def test_paths_may_be_written_with_the_project_directory(gitlab, serve):
    paths = ["$CI_PROJECT_DIR/made", "${CI_PROJECT_DIR}//also", "$UNKNOWN"]
    job = gitlab.add_job(["echo x >made; echo y >also; echo z >other"], artifacts=[{"paths": paths}])
    serve()
    assert finished(job)["state"] == "success"
    archive = zipfile.ZipFile(io.BytesIO(job.uploads[0][2]))
    assert sorted(archive.namelist()) == ["also", "made"]


def test_missing_artifacts_of_another_job_fail_this_one_before_its_script(gitlab, serve):
    dependency = {"id": 90, "name": "build", "token": "", "artifacts_file": {"filename": "a.zip", "size": 1}}
    job = gitlab.add_job(["echo never"], dependencies=[dependency])
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "runner_system_failure")
    assert b"never\n" not in job.trace
    assert b"Job failed (system failure)" in job.trace


def test_an_upload_that_is_refused_fails_a_passing_job(gitlab, serve):
    job = gitlab.add_job(["true"], artifacts=[{"paths": ["README"]}, {"paths": ["README"], "when": "on_failure"}])
    job.upload_faults.append(413)
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "script_failure")
    assert job.uploads == []


def test_a_report_that_the_server_cannot_read_is_the_jobs_own_fault(gitlab, serve):
    job = gitlab.add_job(["true"], artifacts=[{"paths": ["README"], "artifact_type": "dotenv"}])
    job.upload_faults += [400, 400, 400]
    serve()
    final = finished(job)
    assert (final["state"], final["failure_reason"]) == ("failed", "script_failure")
    assert b"the server refused the artifacts: 400" in job.trace


def test_an_upload_is_tried_again(gitlab, serve):
    job = gitlab.add_job(["true"], artifacts=[{"paths": ["README"]}])
    job.upload_faults.append(500)
    serve()
    assert finished(job)["state"] == "success"
    assert len(job.uploads) == 1


def test_caches_are_restored_and_saved_by_key_and_policy(gitlab, serve):
    running = serve()
    cache = {"key": "k-$CI_JOB_ID", "paths": ["kept"], "policy": "pull-push", "fallback_keys": ["old"]}
    running.workspaces.caches["old"] = {"kept": b"1\n"}
    read_only = {"key": "ro", "paths": ["kept"], "policy": "pull"}
    job = gitlab.add_job(["cat kept", "echo 2 >>kept"], cache=[cache, read_only])
    finished(job)
    assert running.workspaces.caches == {"old": {"kept": b"1\n"}, "k-1": {"kept": b"1\n2\n"}}


def test_sources_are_tried_as_often_as_the_job_says(gitlab, serve):
    running = serve()
    running.workspaces.failures = 2
    attempts = {"key": "GET_SOURCES_ATTEMPTS", "value": "3"}
    job = gitlab.add_job(["cat README"], variables=[attempts])
    assert finished(job)["state"] == "success"
    assert len(running.workspaces.sources) == 3


def test_sources_that_cannot_be_had_are_the_runners_failure(gitlab, serve):
    running = serve()
    running.workspaces.failures = 2
    job = gitlab.add_job(["true"])
    final = finished(job)
    assert final["failure_reason"] == "runner_system_failure"
    assert b"the repository is away" in job.trace


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


def test_debug_trace_is_told_and_shows_the_commands(gitlab, serve):
    job = gitlab.add_job(["echo hi"], variables=[{"key": "CI_DEBUG_TRACE", "value": "true"}])
    serve()
    finished(job)
    assert b"+ echo hi" in job.trace
    assert "true" in job.debug_trace


def test_output_beyond_the_limit_is_left_out_and_the_end_is_still_said(gitlab, serve):
    job = gitlab.add_job(["head -c 300000 /dev/zero | tr '\\0' 'x'", "echo after the limit"])
    serve(runner={"output_limit": 100})
    final = finished(job)
    assert final["state"] == "success"
    assert len(job.trace) <= 100 * 1024
    assert b"Job's log exceeded limit of 102400 bytes.\n" in job.trace
    assert b"after the limit\n" not in job.trace.partition(b"exceeded")[2]
    assert job.trace.endswith(b"Job succeeded\x1b[0;m\n")


def test_variables_reach_the_script_whatever_is_in_them(gitlab, serve):
    value = "a'b\"$(touch pwned)`touch pwned`\\n;\n second line *"
    variables = [
        {"key": "NASTY", "value": value, "raw": True},
        {"key": "A_FILE", "value": "in a file\n", "file": True},
        {"key": "EXPANDED", "value": "<$A_FILE>"},
    ]
    job = gitlab.add_job(['printf "[%s]\\n" "$NASTY"', 'cat "$A_FILE"; echo $EXPANDED; ls'], variables=variables)
    serve()
    assert finished(job)["state"] == "success"
    output = output_of(bytes(job.trace))
    assert b"[" + value.encode() + b"]\n" in output
    assert b"in a file\n<" in output
    assert b"pwned\n" not in output.replace(value.encode(), b"")


def test_gitlab_env_carries_variables_to_after_script(gitlab, serve):
    steps = [
        {"name": "script", "script": ['echo "FOUND=a b" >>$GITLAB_ENV', 'echo "bad-name=1" >>$GITLAB_ENV']},
        {"name": "after_script", "script": ['echo "[$FOUND]"'], "when": "always"},
    ]
    job = gitlab.add_job([], steps=steps)
    serve()
    assert finished(job)["state"] == "success"
    assert b"[a b]\n" in job.trace


def test_a_release_step_runs_behind_the_script_and_not_after_a_failure(gitlab, serve):
    release = {"name": "release", "script": ["echo out"]}
    good = gitlab.add_job([], steps=[{"name": "script", "script": ["true"]}, release])
    bad = gitlab.add_job([], steps=[{"name": "script", "script": ["false"]}, release])
    serve()
    finished(good)
    finished(bad)
    assert output_of(bytes(good.trace), "step_release").endswith(b"out\n")
    assert b"step_release" not in bad.trace


def test_a_job_with_what_this_runner_cannot_do_fails_and_says_what(gitlab, serve):
    job = gitlab.add_job([], run='[{"name":"x","script":"true"}]', steps=[])
    serve()
    final = finished(job)
    assert final["failure_reason"] == "script_failure"
    assert b"cannot run jobs with run" in job.trace
