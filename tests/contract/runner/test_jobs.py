"""A job from the queue of a plain GitLab server to its result there."""

from tests.contract.runner.outcomes import finished, output_of
from tests.contract.runner.served_job import checksum


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
