"""What a user does on the first day, through the whole stack: push, watch, hand on artifacts, cancel, retry, play."""

import hashlib
import io
import zipfile

import gitlab
import pytest

from tests.integration.stack import script_output

pytestmark = pytest.mark.podman

BUILD_TEST_DEPLOY = """
image: localhost/skerry/base
stages: [build, test, deploy]
default:
  before_script:
    - echo "in $CI_JOB_NAME of $CI_PROJECT_PATH"
build:
  stage: build
  script:
    - mkdir out
    - echo "built from $CI_COMMIT_SHORT_SHA" > out/result.txt
  artifacts:
    paths: [out/]
test:
  stage: test
  script: [grep -q built out/result.txt]
deploy:
  stage: deploy
  dependencies: [build]
  script: [cat out/result.txt]
"""


def test_a_push_runs_build_test_deploy_with_artifacts_handed_on(repository):
    pipeline = repository.run(BUILD_TEST_DEPLOY)
    jobs = repository.jobs(pipeline["id"])
    assert {name: job["status"] for name, job in jobs.items()} == dict.fromkeys(("build", "test", "deploy"), "success")
    assert pipeline["status"] == "success"
    assert f"built from {pipeline['sha'][:8]}".encode() in repository.trace(jobs["deploy"])
    assert b"Job succeeded" in repository.trace(jobs["deploy"])


def test_python_gitlab_lists_jobs_reads_traces_and_downloads_artifacts(repository):
    pushed = repository.run(BUILD_TEST_DEPLOY)
    client = gitlab.Gitlab(repository.server.url, private_token=repository.server.token)
    project = client.projects.get(repository.path)
    pipeline = project.pipelines.get(pushed["id"])
    names = {job.name: job.id for job in pipeline.jobs.list(iterator=True)}
    assert set(names) == {"build", "test", "deploy"}
    build = project.jobs.get(names["build"])
    assert b"in build of " in build.trace()
    archive = zipfile.ZipFile(io.BytesIO(build.artifacts()))
    assert archive.read("out/result.txt").startswith(b"built from ")
    assert build.artifact("out/result.txt").startswith(b"built from ")


def test_a_failing_job_says_why_and_stops_what_comes_after(repository):
    pipeline = repository.run("""
image: localhost/skerry/base
stages: [a, b]
bad: {stage: a, script: [echo before, exit 3, echo after]}
next: {stage: b, script: [echo never]}
cleanup: {stage: b, when: on_failure, script: [echo cleaning]}
""")
    jobs = repository.jobs(pipeline["id"])
    assert pipeline["status"] == "failed"
    assert [jobs[name]["status"] for name in ("bad", "next", "cleanup")] == ["failed", "skipped", "success"]
    assert jobs["bad"]["failure_reason"] == "script_failure"
    trace = repository.trace(jobs["bad"])
    assert b"before" in trace
    assert b"\nafter\n" not in trace
    assert b"exit code 3" in trace


def test_a_log_of_50_megabytes_arrives_byte_for_byte(repository):
    pipeline = repository.run(
        """
image: localhost/skerry/base
big:
  script:
    - for i in $(seq 1 20000); do echo "$i the quick brown fox jumps over the lazy dog, again and again"; done > block
    - for n in $(seq 1 37); do cat block; done > all
    - sha256sum all > sum
    - cat all
  artifacts: {paths: [sum]}
""",
        seconds=180,
    )
    repository.must_pass(pipeline)
    job = repository.jobs(pipeline["id"])["big"]
    printed = script_output(repository.trace(job))
    wanted = repository.server.call("GET", f"/api/v4{repository.api_path}/jobs/{job['id']}/artifacts/sum").body.split()[
        0
    ]
    assert hashlib.sha256(printed[:50_000_000]).hexdigest() == wanted.decode()
    assert len(printed.rstrip(b"\n")) <= 50_000_000


def test_cancel_runs_after_script_and_leaves_no_container(repository, containers):
    pipeline = repository.start("""
image: localhost/skerry/base
long:
  script: [echo started, sleep 300]
  after_script: [echo "cleaning up as $CI_JOB_STATUS"]
""")
    job = repository.wait_for_job(pipeline["id"], "long", "running")
    repository.wait_for_trace(job, b"started\n")
    repository.server.api("POST", f"{repository.api_path}/jobs/{job['id']}/cancel")
    repository.wait_for_job(pipeline["id"], "long", "canceled", seconds=20)
    assert b"cleaning up as canceled" in repository.trace(job)
    containers.gone(job["id"], seconds=5)


def test_a_manual_job_waits_for_a_person_and_a_retry_makes_a_new_attempt(repository):
    pipeline = repository.start("""
image: localhost/skerry/base
stages: [test, deploy]
test: {stage: test, script: ["true"]}
deploy: {stage: deploy, when: manual, allow_failure: false, script: [echo "to $TARGET"]}
""")
    job = repository.wait_for_job(pipeline["id"], "deploy", "manual")
    assert repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline['id']}")["status"] == "manual"
    variables = {"job_variables_attributes": [{"key": "TARGET", "value": "production"}]}
    repository.server.api("POST", f"{repository.api_path}/jobs/{job['id']}/play", variables)
    repository.wait(pipeline["id"])
    assert b"to production" in repository.trace(job)
    again = repository.server.api("POST", f"{repository.api_path}/jobs/{job['id']}/retry")
    assert again["id"] != job["id"]
    repository.wait_for_job(pipeline["id"], "deploy", "success")


def test_secrets_are_masked_in_the_log_and_kept_from_unprotected_branches(repository):
    for key, options in (("SECRET_WORD", {"masked": True}), ("RELEASE_KEY", {"protected": True})):
        variable = {"key": key, "value": f"value-of-{key.lower()}", **options}
        repository.server.api("POST", f"{repository.api_path}/variables", variable)
    script = """
image: localhost/skerry/base
show: {script: ['echo "word $SECRET_WORD"', 'echo "key ${RELEASE_KEY:-none}"']}
"""
    main = repository.run(script)
    trace = repository.trace(repository.jobs(main["id"])["show"])
    assert b"word [MASKED]" in trace
    assert b"value-of-secret_word" not in trace
    assert b"key value-of-release_key" in trace
    branch = repository.start(script, ref="feature")
    repository.wait(branch["id"])
    assert b"key none" in repository.trace(repository.jobs(branch["id"])["show"])


def test_a_job_clones_with_its_token_and_reaches_the_api(repository):
    pipeline = repository.run("""
image: localhost/skerry/base
clone:
  script:
    - git clone -q "$CI_REPOSITORY_URL" /tmp/again
    - test -f /tmp/again/.gitlab-ci.yml
    - 'printf "GET ${CI_API_V4_URL#http://*/}" | head -c 20'
    - git -C /tmp/again log --oneline | head -3
    - git -C /tmp/again push -q origin HEAD:refs/heads/stolen && exit 9 || echo "push refused"
""")
    job = repository.jobs(pipeline["id"])["clone"]
    trace = repository.trace(job)
    assert job["status"] == "success", trace.decode(errors="replace")
    assert b"push refused" in trace


def test_a_missing_image_is_its_own_failure(repository):
    pipeline = repository.run("x: {image: 'localhost/nobody/has-this:1', script: ['true']}")
    job = repository.jobs(pipeline["id"])["x"]
    assert job["status"] == "failed"
    assert job["failure_reason"] in ("image_pull_failure", "runner_system_failure")
    assert b"has-this" in repository.trace(job)


def test_a_timeout_ends_the_script_and_after_script_still_runs(repository):
    pipeline = repository.run("""
image: localhost/skerry/base
slow:
  timeout: 3 seconds
  script: [sleep 60]
  after_script: [echo "ended as $CI_JOB_STATUS"]
""")
    job = repository.jobs(pipeline["id"])["slow"]
    assert (job["status"], job["failure_reason"]) == ("failed", "job_execution_timeout")


def test_a_cache_is_there_for_the_next_job(repository):
    configuration = """
image: localhost/skerry/base
stages: [one, two]
default:
  cache: {key: deps, paths: [deps/]}
fill: {stage: one, script: [mkdir -p deps, echo cached > deps/file]}
use: {stage: two, script: [cat deps/file]}
"""
    pipeline = repository.run(configuration)
    assert pipeline["status"] == "success", repository.trace(repository.jobs(pipeline["id"])["use"]).decode()


def test_a_retry_policy_runs_a_failing_job_again(repository):
    pipeline = repository.run("image: localhost/skerry/base\nflaky: {retry: 1, script: [exit 1]}")
    attempts = repository.server.api(
        "GET", f"{repository.api_path}/pipelines/{pipeline['id']}/jobs?include_retried=true"
    )
    assert [job["status"] for job in attempts] == ["failed", "failed"]
