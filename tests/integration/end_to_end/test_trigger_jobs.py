"""A configuration that a job makes becomes a child pipeline, whose job takes artifacts of its parent."""

from typing import Any

import pytest

from tests.integration.stack import Repository, script_output

pytestmark = pytest.mark.podman

CONFIGURATION = """
image: localhost/skerry/base
stages: [generate, run, after]
generate:
  stage: generate
  script:
    - mkdir out
    - echo "made by the parent" >out/word
    - 'for name in one two; do printf "%s:\\n  image: localhost/skerry/base\\n  variables: {NAME: %s}\\n" $name $name;
      printf "  needs: [{pipeline: \\$PARENT, job: generate}]\\n";
      printf "  script: [echo \\$NAME in \\$CI_PIPELINE_SOURCE of \\$PARENT, cat out/word]\\n"; done >out/child.yml'
    - cat out/child.yml
  artifacts: {paths: [out]}
run:
  stage: run
  variables: {PARENT: $CI_PIPELINE_ID}
  trigger:
    include: [{artifact: out/child.yml, job: generate}]
    strategy: depend
after: {stage: after, script: [echo done]}
"""


def bridge(repository: Repository, pipeline_id: int) -> dict[str, Any]:
    (found,) = repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline_id}/bridges")
    return found


def test_a_generated_configuration_runs_as_a_child_and_the_parent_waits_for_it(repository):
    pipeline = repository.run(CONFIGURATION, seconds=180)
    repository.must_pass(pipeline)
    trigger = bridge(repository, pipeline["id"])
    child = trigger["downstream_pipeline"]
    assert (trigger["status"], child["status"], child["source"]) == ("success", "success", "parent_pipeline")
    assert child["sha"] == pipeline["sha"]
    jobs = repository.jobs(child["id"])
    printed = {name: script_output(repository.trace(job)).decode() for name, job in jobs.items()}
    assert printed == {
        name: f"{name} in parent_pipeline of {pipeline['id']}\nmade by the parent\n" for name in ("one", "two")
    }
    after = repository.jobs(pipeline["id"])["after"]
    assert after["started_at"] >= max(job["finished_at"] for job in jobs.values())
    listed = repository.server.api("GET", f"{repository.api_path}/pipelines")
    assert [one["id"] for one in listed] == [pipeline["id"]]
