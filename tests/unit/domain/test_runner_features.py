"""Which features a job asks of its runner (gitlab.md A.2)."""

from dataclasses import replace

import pytest

from app.domain.plan import ArtifactSpec, CacheSpec, Image, JobPlan, RetryPolicy, Step, Variable
from app.domain.runner_features import required_features
from runner.protocol.info import features

SCRIPT = Step("script", ("true",))
AFTER = Step("after_script", ("true",), phase="after_script", when="always")
PLAIN = JobPlan("a", "test", (SCRIPT, AFTER))


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, []),
        ({"artifacts": (ArtifactSpec(paths=("a",)),), "cache": (CacheSpec(paths=("c",)),)}, []),
        ({"artifacts": (ArtifactSpec(paths=("a",), file_type="junit"),)}, ["upload_multiple_artifacts"]),
        ({"artifacts": (ArtifactSpec(paths=("a",), exclude=("b",)),)}, ["artifacts_exclude"]),
        ({"steps": (SCRIPT, Step("release", ("x",)), AFTER)}, ["multi_build_steps"]),
        ({"allow_failure_exit_codes": (3,)}, ["return_exit_code"]),
        ({"retry": RetryPolicy(1, (), (3,))}, ["return_exit_code"]),
        ({"retry": RetryPolicy(1)}, []),
        ({"cache": (CacheSpec(fallback_keys=("f",)),)}, ["fallback_cache_keys"]),
        (
            {"allow_failure_exit_codes": (3,), "artifacts": (ArtifactSpec(exclude=("b",)),)},
            ["artifacts_exclude", "return_exit_code"],
        ),
        ({"steps": (SCRIPT, replace(SCRIPT, image=Image("i")))}, ["skerry_steps"]),
        ({"steps": (SCRIPT, replace(SCRIPT, own_shell=False))}, ["skerry_steps"]),
        ({"steps": (replace(SCRIPT, errexit=False),)}, ["skerry_steps"]),
        ({"steps": (replace(SCRIPT, environment=(Variable("A", "b"),)),)}, ["skerry_steps"]),
        ({"workspace": "/work", "allow_failure_exit_codes": (3,)}, ["skerry_steps"]),
        ({"artifacts": (ArtifactSpec(paths=("a",), required=True, exclude=("b",)),)}, ["skerry_steps"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_a_job_asks_for_what_a_runner_would_pass_over_in_silence(changes, needed):
    found = required_features(replace(PLAIN, **changes))
    assert found == needed
    assert all(features({})[name] for name in found), "our own runner can do all of it"
