"""The job as the server sends it: what is read, what is ignored, what cannot be run."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.failure import reason_for
from runner.protocol.outcomes import Outcome, clamp_interval, patch_outcome, range_size, update_outcome, upload_outcome
from runner.protocol.parse import parse_job
from runner.protocol.wire import DEFAULT_TIMEOUT, Job, WireError

MINIMAL = {
    "id": 10,
    "token": "t",
    "allow_git_fetch": False,
    "job_info": {"name": "test", "stage": "test", "project_id": 1, "project_name": "x"},
    "git_info": {
        "repo_url": "https://h/x.git",
        "ref": "main",
        "sha": "abcdef1234",
        "before_sha": "",
        "ref_type": "branch",
    },
    "runner_info": {"timeout": 0},
    "variables": [],
    "steps": [],
    "image": {"name": ""},
    "services": None,
    "artifacts": None,
    "cache": None,
    "credentials": None,
    "dependencies": None,
}


def test_the_least_that_a_stock_server_sends_is_a_job():
    job = parse_job(MINIMAL)
    assert (job.id, job.name, job.timeout, job.image, job.allow_git_fetch) == (10, "test", DEFAULT_TIMEOUT, None, False)
    assert job.project_path == "x"


def test_all_that_is_sent_is_read():
    document = {
        **MINIMAL,
        "runner_info": {"timeout": 60},
        "image": {
            "name": "alpine",
            "entrypoint": [""],
            "pull_policy": ["always"],
            "executor_opts": {"docker": {"user": "1000", "platform": "linux/arm64"}},
        },
        "services": [
            {"name": "postgres", "alias": "db, pg", "command": ["x"], "variables": [{"key": "A", "value": "1"}]}
        ],
        "dependencies": [
            {"id": 3, "name": "b", "token": "u", "artifacts_file": {"filename": "a.zip", "size": 5}},
            {"id": 4},
        ],
        "hooks": [{"name": "pre_get_sources_script", "script": ["x"]}],
        "credentials": [{"type": "registry", "url": "r", "username": "u", "password": "secretpassword"}],
        "inputs": [],
        "secrets": {},
        "features": {"trace_sections": True, "tracing": {"trace_id": "x"}},
    }
    job = parse_job(json.loads(json.dumps(document)))
    assert (job.image.name, job.image.entrypoint, job.image.user) == ("alpine", ("",), "1000")
    assert job.image.platform == "linux/arm64"
    assert job.services[0].aliases == ("db", "pg")
    assert [dependency.id for dependency in job.dependencies] == [3]
    assert job.unsupported == ()
    assert "secretpassword" not in repr(job)


def test_our_extensions_count_only_at_our_server():
    step = {"name": "a", "script": ["x"], "own_shell": False, "errexit": False, "image": {"name": "i"}}
    plain = parse_job({**MINIMAL, "steps": [step], "workspace": "/w"})
    assert (plain.steps[0].own_shell, plain.steps[0].image, plain.workspace) == (True, None, None)
    ours = parse_job({**MINIMAL, "steps": [step], "workspace": "/w", "features": {"skerry_steps": True}})
    assert (ours.steps[0].own_shell, ours.steps[0].errexit, ours.workspace) == (False, False, "/w")


def test_variables_that_no_environment_can_hold_are_left_out():
    keys = ["OK", "", "A=B", "../up", "N\0", "with-dash", ".hidden"]
    variables = [{"key": key, "value": "a\0b"} for key in keys] + [{"key": "NULL", "value": None}]
    job = parse_job({**MINIMAL, "variables": variables})
    assert [(v.key, v.value) for v in job.variables] == [("OK", "ab"), ("with-dash", "ab"), ("NULL", "")]


@pytest.mark.parametrize("document", [None, [], {}, {"id": 1}, {"id": "1", "token": "x"}, {"id": True, "token": "x"}])
def test_what_has_no_id_and_token_is_no_job(document):
    with pytest.raises(WireError) as caught:
        parse_job(document)
    assert caught.value.job_id is None


@pytest.mark.parametrize(
    "fields",
    [{"steps": {}}, {"variables": [1]}, {"git_info": []}, {"services": [{}]}, {"runner_info": {"timeout": "x"}}],
)
def test_a_job_that_cannot_be_read_is_still_known_by_its_id(fields):
    with pytest.raises(WireError) as caught:
        parse_job({**MINIMAL, **fields})
    assert (caught.value.job_id, caught.value.token) == (10, "t")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*MINIMAL, "features", "hooks", "run", "workspace"]), JSON))
def test_any_document_is_a_job_or_a_wire_error(fields):
    with contextlib.suppress(WireError):
        assert isinstance(parse_job({**MINIMAL, **fields}), Job)


def test_status_codes_have_names():
    assert [patch_outcome(s) for s in (202, 416, 412, 403, 404, 400, 500)] == [
        Outcome.OK,
        Outcome.RANGE_MISMATCH,
        Outcome.RESEND,
        Outcome.ABORT,
        Outcome.NOT_FOUND,
        Outcome.REFUSED,
        Outcome.RETRY,
    ]
    assert [update_outcome(s) for s in (200, 202, 403, 404, 412, 409, 503)] == [
        Outcome.OK,
        Outcome.PENDING,
        Outcome.ABORT,
        Outcome.ABORT,
        Outcome.RESEND,
        Outcome.REFUSED,
        Outcome.RETRY,
    ]
    assert [upload_outcome(s) for s in (201, 403, 413, 400, 503)] == [
        Outcome.OK,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.RETRY,
        Outcome.RETRY,
    ]


@pytest.mark.parametrize(("header", "value"), [("3", 3.0), ("99999", 900.0), ("0", None), ("x", None), (None, None)])
def test_the_update_interval_is_kept_within_reason(header, value):
    assert clamp_interval(header) == value


@pytest.mark.parametrize(
    ("header", "value"), [("0-17", 17), ("0-", None), ("bytes", None), (None, None), ("0-x", None)]
)
def test_the_range_answer_names_a_size(header, value):
    assert range_size(header) == value


def test_a_reason_that_the_server_does_not_know_becomes_one_that_it_does():
    assert reason_for("image_pull_failure", ()) == "runner_system_failure"
    assert reason_for("image_pull_failure", ("image_pull_failure",)) == "image_pull_failure"
    assert reason_for("runner_configuration_error", ()) == "script_failure"
    assert reason_for("job_canceled", ()) == "unknown_failure"
    assert reason_for("job_execution_timeout", ()) == "job_execution_timeout"
    assert reason_for("", ()) == ""
