"""What a job prints arrives whole at a plain GitLab server, whatever happens on the way, and no secret with it."""

import time

import pytest

from tests.contract.runner.outcomes import finished, output_of
from tests.contract.runner.served_job import checksum


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
