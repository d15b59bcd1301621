"""A file as a team would have it, forty jobs and more, runs to its right end: each keyword beside the others."""

from typing import Any

import pytest

from tests.integration.stack import Repository, script_output

pytestmark = pytest.mark.podman

MAIN = """
include:
  - local: ci/library.yml
  - local: /ci/jobs/*.yml
    rules: [{if: $CI_COMMIT_BRANCH}]

workflow:
  name: "All of $CI_COMMIT_BRANCH"
  rules: [{if: $CI_COMMIT_TAG, when: never}, {when: always}]

stages: [prepare, build, test, package, downstream, deploy]

default:
  image: localhost/skerry/base
  interruptible: true
  retry: {max: 1, when: [runner_system_failure]}

variables:
  LEVEL: {value: quick, options: [quick, full], description: How much is tested}
"""

LIBRARY = """
.cached: &cached
  key: {files: [lock.txt], prefix: deps}
  paths: [deps/]
.test:
  stage: test
  needs: [prepare]
  cache: {<<: *cached, policy: pull}
  rules:
    - if: $LEVEL == "full" || $CI_COMMIT_BRANCH == "main"
      variables: {WHY: rule}
.say: [echo $CI_JOB_NAME $WHY]
prepare:
  stage: prepare
  script: [mkdir deps, "echo dependency >deps/one"]
  cache: *cached
  artifacts: {reports: {dotenv: made.env}}
  after_script: [echo after]
  before_script: ["echo MADE=by-prepare >made.env"]
"""

BUILD = """
build:
  stage: build
  needs: [prepare]
  script: ["mkdir -p dist/$OS", "echo $MADE for $OS-$ARCH >dist/$OS/$ARCH"]
  parallel: {matrix: [{OS: [linux, mac, win], ARCH: [x86, arm]}]}
  artifacts: {paths: ["dist/$OS"], expire_in: 2 hrs 20 min}
"""

TEST = """
unit: {extends: .test, script: [!reference [.say], cat deps/one], parallel: 24}
lint: {extends: .test, script: "exit 3", allow_failure: {exit_codes: 3}}
shop:
  extends: .test
  services: [{name: %s, alias: shop}]
  script: wget -q -O- http://shop:8080/
full_only: {extends: .test, rules: [{if: $LEVEL == "full"}], script: "exit 1"}
on_failure: {extends: .test, needs: [], script: "exit 1", rules: [{when: on_failure}]}
report:
  extends: .test
  coverage: '/covered (\\d+)/'
  script: ["echo covered 87", "echo '<testsuite><testcase name=\\"adds\\"/></testsuite>' >junit.xml"]
  artifacts: {reports: {junit: junit.xml}}
"""

DELIVER = """
package:
  stage: package
  needs:
    - {job: build, parallel: {matrix: [{OS: linux, ARCH: [x86, arm]}]}}
    - {job: full_only, optional: true}
  script: [cat dist/linux/x86 dist/linux/arm, test ! -e dist/mac]
generate:
  stage: package
  script: ["printf 'child: {image: localhost/skerry/base, script: echo from $PARENT_NAME}' >child.yml"]
  artifacts: {paths: [child.yml]}
downstream:
  stage: downstream
  variables: {PARENT_NAME: the parent}
  trigger: {include: [{artifact: child.yml, job: generate}], strategy: depend}
deploy:
  stage: deploy
  script: echo deployed
  resource_group: $CI_COMMIT_BRANCH
  environment: {name: live, url: "http://$MADE.example"}
  needs: [prepare, downstream]
manual: {stage: deploy, script: "exit 1", when: manual, allow_failure: true}
notify: {stage: .post, script: echo told, when: always}
"""


def printed(repository: Repository, job: dict[str, Any]) -> str:
    return script_output(repository.trace(job)).decode()


def test_a_file_of_forty_jobs_runs_to_its_right_end(repository: Repository, images: dict[str, str]) -> None:
    files = {
        "ci/library.yml": LIBRARY,
        "ci/jobs/build.yml": BUILD,
        "ci/jobs/test.yml": TEST % images["web"],
        "ci/jobs/deliver.yml": DELIVER,
        "lock.txt": "1",
    }
    pipeline = repository.run(MAIN, files, seconds=240)
    repository.must_pass(pipeline)
    assert pipeline["name"] == "All of main"
    jobs = repository.jobs(pipeline["id"])
    (bridge,) = repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline['id']}/bridges")
    assert len(jobs) + 1 >= 40
    assert {name: job["status"] for name, job in jobs.items() if job["status"] != "success"} == {
        "lint": "failed", "on_failure": "skipped", "manual": "manual",
    }  # fmt: skip
    assert "full_only" not in jobs
    assert printed(repository, jobs["unit 7/24"]) == "unit 7/24 rule\ndependency\n"
    assert printed(repository, jobs["shop"]) == "from the service\n"
    assert printed(repository, jobs["package"]) == "by-prepare for linux-x86\nby-prepare for linux-arm\n"
    assert jobs["report"]["coverage"] == 87
    tests = repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline['id']}/test_report")
    assert (tests["total_count"], tests["failed_count"]) == (1, 0)
    child = repository.jobs(bridge["downstream_pipeline"]["id"])["child"]
    assert printed(repository, child) == "from the parent\n"
    (live,) = repository.server.api("GET", f"{repository.api_path}/environments")
    assert (live["name"], live["external_url"]) == ("live", "http://by-prepare.example")
    assert jobs["notify"]["started_at"] >= max(job["finished_at"] for name, job in jobs.items() if name == "deploy")
