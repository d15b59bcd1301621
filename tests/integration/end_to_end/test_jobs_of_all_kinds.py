"""What authors write into their jobs, through the whole stack."""

import io
import zipfile
from typing import Any

import pytest

from tests.integration.stack import Repository, script_output, working_copy

pytestmark = pytest.mark.podman


def statuses(repository: Repository, pipeline: dict[str, Any]) -> dict[str, str]:
    return {name: job["status"] for name, job in repository.jobs(pipeline["id"]).items()}


def output(repository: Repository, pipeline: dict[str, Any], name: str) -> str:
    """What the job's script printed."""
    return script_output(repository.trace(repository.jobs(pipeline["id"])[name])).decode()


def artifact_names(repository: Repository, job: dict[str, Any]) -> list[str]:
    path = f"/api/v4{repository.api_path}/jobs/{job['id']}/artifacts"
    archive = zipfile.ZipFile(io.BytesIO(repository.server.call("GET", path).body))
    return sorted(name for name in archive.namelist() if not name.endswith("/"))


def test_services_answer_by_their_aliases(repository, images):
    pipeline = repository.run(f"""
use:
  image: localhost/skerry/base
  services:
    - name: {images["web"]}
      alias: shop
    - name: {images["web"]}
      alias: db
      command: [sh, -c, "mkdir /tmp/w; echo $OWN >/tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"]
      variables: {{OWN: with its own variable}}
  script: [wget -q -O- http://shop:8080/, wget -q -O- http://db:8080/]
""")
    repository.must_pass(pipeline)
    assert output(repository, pipeline, "use") == "from the service\nwith its own variable\n"


def test_an_image_with_another_user_writes_artifacts_and_caches(repository, images):
    pipeline = repository.run(
        f"""
default:
  image: {images["user"]}
  cache: {{key: one, paths: [deps/]}}
stages: [make, use]
make:
  stage: make
  script: [id -u, test -w .git, echo more >>tracked, mkdir deps out, echo c >deps/c, echo a >out/a, chmod 600 out/a]
  artifacts: {{paths: [out, tracked]}}
use:
  stage: use
  script: [cat out/a deps/c tracked, echo still >>out/a]
root:
  stage: use
  image: localhost/skerry/base
  script: [cat out/a deps/c, git status --short]
""",
        {"tracked": "tracked\n"},
    )
    repository.must_pass(pipeline)
    assert output(repository, pipeline, "make").startswith("1000\n")
    assert output(repository, pipeline, "use") == "a\nc\ntracked\nmore\n"
    assert "M tracked" in output(repository, pipeline, "root")


def test_each_git_strategy_gives_what_it_says(repository):
    pipeline = repository.run(
        """
image: localhost/skerry/base
none: {variables: {GIT_STRATEGY: none}, script: [ls -A]}
empty: {variables: {GIT_STRATEGY: empty}, script: [ls -A]}
clone: {variables: {GIT_STRATEGY: clone, GIT_DEPTH: "1"}, script: [ls -A, git rev-list --count HEAD]}
fetch: {variables: {GIT_STRATEGY: fetch, GIT_DEPTH: "0"}, script: [ls -A, git rev-list --count HEAD]}
no checkout: {variables: {GIT_CHECKOUT: "false"}, script: [ls -A]}
""",
        {"file": "x"},
    )
    repository.must_pass(pipeline)
    listing = ".git\n.gitlab-ci.yml\nfile\n"
    printed = {name: output(repository, pipeline, name) for name in repository.jobs(pipeline["id"])}
    assert printed == {
        "none": "", "empty": "", "clone": f"{listing}1\n", "fetch": f"{listing}1\n", "no checkout": ".git\n",
    }  # fmt: skip


@pytest.mark.parametrize(("visibility", "status"), [("public", "success"), ("private", "failed")])
def test_a_submodule_comes_from_a_project_that_the_job_token_may_read(repository, server, tmp_path, visibility, status):
    name = f"lib-{visibility}"
    made = server.api("POST", "/projects", {"path": name, "visibility": visibility})
    other = working_copy(server, made["path_with_namespace"], tmp_path / "lib")
    sha = other.commit({"lib.txt": "from the other project\n"})
    other.push()
    (repository.folder / "lib").mkdir()
    configuration = """
use:
  image: localhost/skerry/base
  variables: {GIT_SUBMODULE_STRATEGY: recursive}
  script: [cat lib/lib.txt, git submodule status]
"""
    modules = f'[submodule "lib"]\n\tpath = lib\n\turl = ../{name}.git\n'
    for file, content in ((".gitlab-ci.yml", configuration), (".gitmodules", modules)):
        (repository.folder / file).write_text(content)
    repository.git("add", ".gitlab-ci.yml", ".gitmodules")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{sha},lib")
    repository.git("commit", "-qm", "with a submodule")
    repository.push()
    pipeline = repository.server.api("GET", f"{repository.api_path}/pipelines")[0]
    assert repository.wait(pipeline["id"])["status"] == status
    printed = repository.trace(repository.jobs(pipeline["id"])["use"])
    assert (b"from the other project\n" in printed) == (status == "success")


def test_a_pushed_tag_has_a_pipeline_of_its_own(repository):
    repository.commit({
        ".gitlab-ci.yml": "show: {image: localhost/skerry/base, only: [tags], "
        'script: [\'echo "$CI_COMMIT_TAG $CI_COMMIT_REF_NAME [$CI_COMMIT_BRANCH]"\', git describe --tags]}'
    })  # fmt: skip
    repository.git("tag", "v1.0")
    repository.push("v1.0")
    [pipeline] = repository.server.api("GET", f"{repository.api_path}/pipelines")
    assert (pipeline["ref"], pipeline["source"]) == ("v1.0", "push")
    repository.must_pass(repository.wait(pipeline["id"]))
    job = repository.jobs(pipeline["id"])["show"]
    assert job["tag"] is True
    assert output(repository, pipeline, "show") == "v1.0 v1.0 []\nv1.0\n"


def test_a_file_variable_is_a_path_to_its_content(repository, images):
    value = "line 1\n'quoted' $HOME \\ end"
    variable = {"key": "SETTINGS", "value": value, "variable_type": "file", "raw": True}
    repository.server.api("POST", f"{repository.api_path}/variables", variable)
    pipeline = repository.run(f"""
root: {{image: localhost/skerry/base, script: [cat "$SETTINGS"; echo]}}
user: {{image: {images["user"]}, script: [cat "$SETTINGS"; echo]}}
""")
    repository.must_pass(pipeline)
    for name in ("root", "user"):
        assert output(repository, pipeline, name) == value + "\n"


def test_failures_that_are_allowed_change_nothing(repository):
    pipeline = repository.run("""
image: localhost/skerry/base
stages: [one, two]
after: {stage: one, script: ["true"], after_script: [echo in after_script, exit 5]}
tolerated: {stage: one, script: [exit 7], allow_failure: true}
by code: {stage: one, script: [exit 42], allow_failure: {exit_codes: [42]}}
next: {stage: two, script: [echo reached]}
""")
    assert statuses(repository, pipeline) == {
        "after": "success", "tolerated": "failed", "by code": "failed", "next": "success",
    }  # fmt: skip
    assert pipeline["status"] == "success"
    trace = repository.trace(repository.jobs(pipeline["id"])["after"])
    assert b"in after_script" in trace
    assert b"after_script failed, but job will continue unaffected: exit code 5" in trace


def test_a_delayed_job_starts_by_itself_and_not_before_its_time(repository):
    pipeline = repository.start("""
image: localhost/skerry/base
later: {when: delayed, start_in: 2 seconds, script: ["true"]}
""")
    assert statuses(repository, pipeline) == {"later": "scheduled"}
    repository.must_pass(repository.wait(pipeline["id"]))
    job = repository.jobs(pipeline["id"])["later"]
    assert job["queued_duration"] is not None
    created, started = (job[key][:19] for key in ("created_at", "started_at"))
    assert started > created


def test_artifacts_are_what_the_job_says_and_when_it_says(repository):
    pipeline = repository.run(
        """
image: localhost/skerry/base
failing:
  script: [mkdir logs, echo why >logs/error.log, exit 1]
  artifacts: {when: on_failure, paths: [logs/], expire_in: 2 hours}
passing:
  script: [mkdir logs, echo fine >logs/error.log]
  artifacts: {when: on_failure, paths: [logs/]}
untracked:
  script: [mkdir new, echo n >new/file, echo changed >tracked, touch new/skipped.tmp, touch top.tmp]
  artifacts: {untracked: true, exclude: ["**/*.tmp"]}
""",
        {"tracked": "x"},
    )
    jobs = repository.jobs(pipeline["id"])
    assert statuses(repository, pipeline) == {"failing": "failed", "passing": "success", "untracked": "success"}
    assert artifact_names(repository, jobs["failing"]) == ["logs/error.log"]
    assert jobs["failing"]["artifacts_expire_at"] > jobs["failing"]["finished_at"]
    assert jobs["passing"]["artifacts_file"] is None
    assert artifact_names(repository, jobs["untracked"]) == ["new/file"]


def test_dependencies_and_needs_choose_whose_artifacts_come(repository):
    pipeline = repository.run("""
image: localhost/skerry/base
stages: [build, check]
one: {stage: build, script: [echo 1 >one], artifacts: {paths: [one]}}
two: {stage: build, script: [echo 2 >two], artifacts: {paths: [two]}}
all: {stage: check, script: [cat one two]}
nothing: {stage: check, dependencies: [], script: ["test ! -e one && test ! -e two"]}
needed: {stage: check, needs: [one], script: ["cat one && test ! -e two"]}
without: {stage: check, needs: [{job: two, artifacts: false}], script: ["test ! -e one && test ! -e two"]}
""")
    repository.must_pass(pipeline)


def test_a_need_is_enough_to_begin_while_other_stages_still_run(repository):
    pipeline = repository.start("""
image: localhost/skerry/base
stages: [build, check]
fast: {stage: build, script: ["true"]}
slow: {stage: build, script: [sleep 60]}
early: {stage: check, needs: [fast], script: ["true"]}
""")
    repository.wait_for_job(pipeline["id"], "early", "success", seconds=30)
    assert repository.jobs(pipeline["id"])["slow"]["status"] == "running"
    repository.server.api("POST", f"{repository.api_path}/pipelines/{pipeline['id']}/cancel")
    repository.wait(pipeline["id"], seconds=20)


def test_a_job_whose_image_cannot_be_had_is_retried_as_a_failure_of_the_system(repository):
    pipeline = repository.run("""
image: localhost/nobody/has-this:1
again: {retry: {max: 1, when: runner_system_failure}, script: ["true"]}
never: {retry: {max: 1, when: script_failure}, script: ["true"]}
""")
    path = f"{repository.api_path}/pipelines/{pipeline['id']}/jobs?include_retried=true"
    attempts = repository.server.api("GET", path)
    assert sorted(job["name"] for job in attempts) == ["again", "again", "never"]
    assert {job["failure_reason"] for job in attempts} <= {"image_pull_failure", "runner_system_failure"}


def test_caches_of_protected_refs_are_kept_apart(repository):
    configuration = """
image: localhost/skerry/base
fill:
  cache: {key: shared, paths: [deps/]}
  script: ["cat deps/from 2>/dev/null || echo nothing", mkdir -p deps, echo "$CI_COMMIT_BRANCH" >deps/from]
"""
    seen = []
    for ref in ("main", "feature", "other", "main"):
        pipeline = repository.start(configuration, ref=ref)
        repository.must_pass(repository.wait(pipeline["id"]))
        seen.append(output(repository, pipeline, "fill").strip())
    assert seen == ["nothing", "nothing", "feature", "main"]
