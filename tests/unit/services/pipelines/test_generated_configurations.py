"""Child pipelines of files that a job made, and of files that are none (gitlab.md C.9)."""

import pytest

from app.domain import failure
from tests.support.triggering import BUILD, parent


def test_a_generated_configuration_is_read_from_the_job_that_made_it(lab):
    text = """
stages: [build, test]
variables: {FOLDER: out}
build: {stage: build, script: make, artifacts: {paths: [out]}}
start:
  stage: test
  trigger:
    include:
      - {artifact: $FOLDER/made.yml, job: build, inputs: {name: two}}
      - local: shared.yml
"""
    project = lab.project({".gitlab-ci.yml": text, "shared.yml": "shared: {script: x}"})
    made = lab.run(project)
    lab.archive(
        lab.jobs(made)["build"],
        {"out/made.yml": b"spec: {inputs: {name: }}\n---\nmade $[[ inputs.name ]]: {script: echo}\n"},
    )
    lab.end(made, "build")
    lab.beat()
    assert lab.statuses(lab.newest()) == {"made two": "pending", "shared": "pending"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Job `build` not found in parent pipeline or does not have artifacts!"),
        ({"other.yml": b"x"}, "Artifact file `made.yml` of job `build` does not exist or cannot be read!"),
        ({"made.yml": b"\xff\xfe"}, "Artifact file `made.yml` of job `build` is not UTF-8 text"),
        ({"made.yml": b"#" * (2 * 1024 * 1024 + 1)}, "Artifact file `made.yml` of job `build` is larger than"),
    ],
)
def test_a_generated_configuration_that_is_none_says_so(lab, content, message):
    text = BUILD + "start: {stage: test, trigger: {include: [{artifact: made.yml, job: build}]}}"
    made = lab.run(lab.project({".gitlab-ci.yml": text}))
    if content:
        lab.archive(lab.jobs(made)["build"], content)
    lab.end(made, "build")
    lab.beat()
    job = lab.jobs(made)["start"]
    assert (job.status, job.failure_reason) == ("failed", failure.DOWNSTREAM_PIPELINE_CREATION_FAILED)
    assert message in job.failure_message
    assert len(lab.pipelines()) == 1


@pytest.mark.parametrize(
    ("child", "message"),
    [
        ("work: {script: x, rules: [{when: never}]}", "Pipeline will not run for the selected trigger."),
        ("workflow: {rules: [{when: never}]}\nwork: {script: x}", "Pipeline filtered out by workflow rules."),
        (None, "Local file `child.yml` does not exist!"),
    ],
)
def test_a_child_that_would_be_none_fails_its_job(lab, child, message):
    files = {".gitlab-ci.yml": parent("{include: child.yml}")[".gitlab-ci.yml"]}
    made = lab.run(lab.project(files | ({"child.yml": child} if child else {})))
    lab.beat()
    job = lab.jobs(made)["start"]
    assert (job.status, job.failure_reason) == ("failed", failure.DOWNSTREAM_PIPELINE_CREATION_FAILED)
    assert message in job.failure_message
