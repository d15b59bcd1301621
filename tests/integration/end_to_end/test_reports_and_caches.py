"""What jobs hand to each other and to the server: variables, tests, coverage, and caches in object storage."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from tests.integration.end_to_end.test_jobs_of_all_kinds import output
from tests.integration.runner_daemon import Daemon
from tests.support.object_store import ACCESS, SECRET, ObjectStore, object_store

pytestmark = pytest.mark.podman
BUCKET = "caches"

REPORTS = """
image: localhost/skerry/base
stages: [build, test, deploy]
build:
  stage: build
  hooks: {pre_get_sources_script: [echo from the hook, echo "HOOKED=yes" >>"$GITLAB_ENV"]}
  script:
    - echo "hooked is $HOOKED"
    - echo "LATER=after_script sees it" >>"$GITLAB_ENV"
    - printf 'VERSION=1.2.3\\nURL=https://example.org/$VERSION\\n' >build.env
  after_script: [echo "$LATER"]
  artifacts: {reports: {dotenv: build.env}}
unit:
  stage: test
  coverage: '/^TOTAL.* (\\d+)%$/'
  script:
    - echo "$VERSION $URL"
    - printf '<testsuite name="s"><testcase name="good"/></testsuite>' >one.xml
    - printf '<testsuite name="s"><testcase name="bad"><failure>why</failure></testcase></testsuite>' >two.xml
    - echo "<coverage/>" >coverage.xml
    - "echo 'TOTAL 10 1 90%'"
    - exit 1
  allow_failure: true
  artifacts:
    paths: [one.xml]
    when: always
    reports: {junit: ["*.xml"], coverage_report: {coverage_format: cobertura, path: coverage.xml}}
without:
  stage: test
  needs: [{job: build, artifacts: false}]
  script:
    - echo "[$VERSION]"
elsewhere:
  stage: test
  variables: {GIT_CLONE_PATH: $CI_BUILDS_DIR/by hand/../x}
  allow_failure: true
  script: [echo never]
moved:
  stage: test
  variables: {GIT_CLONE_PATH: $CI_BUILDS_DIR/0/src}
  script: [pwd, test "$CI_PROJECT_DIR" = /builds/0/src, ls .gitlab-ci.yml, git status --short]
needed:
  stage: deploy
  needs: [build]
  variables: {VERSION: from yaml}
  script:
    - echo "[$VERSION]"
"""


def test_reports_go_to_the_server_and_variables_to_the_jobs_after(repository):
    pipeline = repository.run(REPORTS)
    repository.must_pass(pipeline)
    trace = repository.trace(repository.jobs(pipeline["id"])["build"])
    assert b"from the hook\n" in trace
    assert output(repository, pipeline, "build") == "hooked is yes\n"
    assert b"after_script sees it\n" in trace
    assert output(repository, pipeline, "unit").startswith("1.2.3 https://example.org/1.2.3\n")
    assert output(repository, pipeline, "without") == "[]\n"
    assert output(repository, pipeline, "needed") == "[1.2.3]\n"
    assert output(repository, pipeline, "moved") == "/builds/0/src\n.gitlab-ci.yml\n"
    elsewhere = repository.jobs(pipeline["id"])["elsewhere"]
    assert (elsewhere["status"], elsewhere["failure_reason"]) == ("failed", "runner_configuration_error")
    unit = repository.jobs(pipeline["id"])["unit"]
    assert unit["coverage"] == 90.0
    assert repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline['id']}")["coverage"] == "90.00"
    kinds = {artifact["file_type"]: artifact["file_format"] for artifact in unit["artifacts"]}
    assert kinds.items() >= {"archive": "zip", "junit": "gzip", "cobertura": "gzip"}.items()
    report = repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline['id']}/test_report")
    [suite] = report["test_suites"]
    assert [(case["status"], case["name"], case["system_output"]) for case in suite["test_cases"]] == [
        ("failed", "bad", "why"),
        ("success", "good", None),
    ]


def test_a_dotenv_report_that_is_none_fails_the_job(repository):
    pipeline = repository.run("""
image: localhost/skerry/base
wrong:
  script: ["echo '# a comment' >wrong.env"]
  artifacts: {reports: {dotenv: wrong.env}}
""")
    assert pipeline["status"] == "failed"
    job = repository.jobs(pipeline["id"])["wrong"]
    assert job["failure_reason"] == "script_failure"
    assert b"Invalid Format" in repository.trace(job)


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as made:
        made.make_bucket(BUCKET)
        yield made


@pytest.fixture
def two_runners(server, runner_user, runner_folder, base_image, store) -> Iterator[None]:
    """Runners with caches of their own on disk and one bucket together; their tags are `first` and `second`."""
    settings = f"""
[runners.cache]
Type = "s3"
Shared = true
[runners.cache.s3]
ServerAddress = "{store.host}:{store.port}"
AccessKey = "{ACCESS}"
SecretKey = "{SECRET}"
BucketName = "{BUCKET}"
Insecure = true
"""
    daemons = []
    for name in ("first", "second"):
        folder = runner_folder / name
        runner_user.run(["mkdir", str(folder)])
        daemon = Daemon(runner_user, folder)
        daemon.register(server, "--tags", name)
        append = 'printf %s "$1" >>"$2"'
        runner_user.run(["sh", "-c", append, "sh", settings, str(daemon.config)])
        daemon.start()
        daemons.append(daemon)
    yield
    for daemon in daemons:
        daemon.stop()


def test_a_cache_goes_from_runner_to_runner_through_the_store(repository, two_runners, store):
    pipeline = repository.run(
        """
image: localhost/skerry/base
stages: [fill, use]
fill:
  stage: fill
  tags: [first]
  cache: {key: {files: [lock], prefix: deps}, paths: [deps/]}
  script: [mkdir deps, echo from the first >deps/file]
use:
  stage: use
  tags: [second]
  cache: {key: {files: [lock], prefix: deps}, paths: [deps/], policy: pull}
  script: [cat deps/file]
""",
        {"lock": "1"},
    )
    repository.must_pass(pipeline)
    assert output(repository, pipeline, "use") == "from the first\n"
    [(name, content)] = store.objects(BUCKET).items()
    assert name.startswith(f"project/{pipeline['project_id']}/deps-")
    assert name.endswith("protected")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "deps/file" in archive.namelist()
