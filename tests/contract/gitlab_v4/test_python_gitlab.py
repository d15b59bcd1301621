"""A client that knows nothing of us: python-gitlab, against the server over real HTTP."""

import io
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import gitlab
import pytest

from app.services.accounts.authenticate import runner_by_token
from tests.conftest import LiveServer
from tests.support.place import Place, zipped

CONFIGURATION = """
stages: [build, deploy]
compile:
  stage: build
  script: [make]
release:
  stage: build
  when: manual
  script: [make release]
"""


@pytest.fixture
def lab(server: LiveServer, place: Place) -> Iterator[gitlab.Gitlab]:
    """The client, signed in as the project's owner."""
    with gitlab.Gitlab(server.url, private_token=place.tokens["owner"], timeout=30) as client:
        yield client


@pytest.fixture
def project(lab: gitlab.Gitlab):
    return lab.projects.get("acme/rocket")


@pytest.fixture
def pushed(place: Place, server: LiveServer, tmp_path: Path) -> str:
    """The commit of the project's default branch, which has a configuration."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    (tmp_path / ".gitlab-ci.yml").write_text(CONFIGURATION)
    git("init", "--quiet", "--initial-branch", "main")
    git("add", ".gitlab-ci.yml")
    git("commit", "--quiet", "--message", "Begin")
    address = server.clone_url("acme/rocket", "owner", place.tokens["owner"])
    git("push", "--quiet", "--push-option", "ci.skip", address, "main")
    return git("rev-parse", "HEAD")


def test_signing_in(lab: gitlab.Gitlab) -> None:
    lab.auth()
    assert lab.user.username == "owner"
    assert lab.version()[0].startswith("19.")
    token = lab.personal_access_tokens.get("self")
    assert token.scopes == ["api"]


def test_finding_projects(lab: gitlab.Gitlab, project) -> None:
    assert project.path_with_namespace == "acme/rocket"
    assert [found.id for found in lab.projects.list(search="rock")] == [project.id]
    made = lab.projects.create({"name": "Second", "namespace_id": project.namespace["id"]})
    keyset = lab.projects.list(iterator=True, pagination="keyset", order_by="id", per_page=1)
    assert [found.id for found in keyset] == [made.id, project.id]


def test_listing_jobs(place: Place, project) -> None:
    jobs = [place.job(status="failed" if number % 2 else "success").id for number in range(5)][::-1]
    assert [job.id for job in project.jobs.list(iterator=True, per_page=2)] == jobs
    keyset = project.jobs.list(iterator=True, pagination="keyset", order_by="id", per_page=2)
    assert [job.id for job in keyset] == jobs
    assert len(project.jobs.list(scope=["failed"], get_all=True)) == 2
    pipeline = project.pipelines.list(get_all=True)[0]
    listed = pipeline.jobs.list(iterator=True, per_page=2)
    assert (listed.total, listed.total_pages, [job.id for job in listed]) == (5, 3, jobs)
    assert pipeline.bridges.list(get_all=True) == []


def test_reading_a_log_and_artifacts(place: Place, project) -> None:
    row = place.job(name="build", status="success")
    place.log(row, b"\x1b[32mhello\xff\n")
    data = zipped({"public/index.html": b"<p>", "big": bytes(300_000)})
    place.archive(row, data)
    place.set(place.pipeline, status="success", ref="feature/x")
    job = project.jobs.get(row.id)
    assert job.trace() == b"\x1b[32mhello\xff\n"
    assert job.artifacts() == data
    assert job.artifact("public/index.html") == b"<p>"
    assert project.artifacts.download(ref_name="feature/x", job="build") == data
    assert project.artifacts.raw(ref_name="feature/x", artifact_path="big", job="build") == bytes(300_000)
    written = io.BytesIO()
    job.artifacts(streamed=True, action=written.write)
    assert zipfile.ZipFile(written).namelist() == ["public/index.html", "big"]
    job.delete_artifacts()
    with pytest.raises(gitlab.GitlabGetError) as caught:
        job.artifacts()
    assert caught.value.response_code == 404


def test_acting_on_jobs(place: Place, project) -> None:
    job = project.jobs.get(place.job().id)
    assert job.cancel()["status"] == "canceled"
    again = project.jobs.get(job.retry()["id"])
    assert (again.id != job.id, again.status) == (True, "pending")
    manual = project.jobs.get(place.job(status="manual", when="manual").id)
    manual.play(job_variables={"TARGET": "moon"})
    assert project.jobs.get(manual.id).status == "pending"
    ended = place.job(status="failed")
    place.log(ended, b"x")
    place.archive(ended, zipped({"a": b""}), expire_at=place.core.now().replace(year=9000))
    job = project.jobs.get(ended.id)
    job.keep_artifacts()
    job.erase()
    assert project.jobs.get(ended.id).erased_at
    with pytest.raises(gitlab.GitlabJobEraseError) as caught:
        job.erase()
    assert caught.value.error_message == "403 Forbidden - Job is not erasable!"


def test_running_pipelines(project, pushed: str) -> None:
    made = project.pipelines.create({"ref": "main", "variables": [{"key": "COLOUR", "value": "red"}]})
    assert (made.sha, made.source, made.user["username"]) == (pushed, "api", "owner")
    assert project.pipelines.latest(ref="main").id == made.id
    assert [variable.key for variable in made.variables.list(get_all=True)] == ["COLOUR"]
    assert {job.name: job.status for job in made.jobs.list(get_all=True)} == {"compile": "pending", "release": "manual"}
    made.cancel()
    assert project.pipelines.get(made.id).status == "canceled"
    made.retry()
    assert project.pipelines.get(made.id).status in ("pending", "running", "manual")
    assert [row.id for row in project.pipelines.list(ref="main", source="api", get_all=True)] == [made.id]
    made.delete()
    with pytest.raises(gitlab.GitlabGetError):
        project.pipelines.get(made.id)


def test_a_pipeline_that_cannot_be_made(project, pushed: str) -> None:
    with pytest.raises(gitlab.GitlabCreateError) as caught:
        project.pipelines.create({"ref": "nothing"})
    assert (caught.value.response_code, caught.value.error_message) == (400, {"base": ["Reference not found"]})


def test_variables(project) -> None:
    made = project.variables.create({"key": "TOKEN", "value": "long-enough", "masked": True})
    made.value = "longer-still"
    made.save()
    assert project.variables.get("TOKEN").value == "longer-still"
    project.variables.create({"key": "TOKEN", "value": "other", "environment_scope": "live"})
    assert project.variables.get("TOKEN", filter={"environment_scope": "live"}).value == "other"
    project.variables.delete("TOKEN", filter={"environment_scope": "live"})
    assert len(project.variables.list(get_all=True)) == 1


def test_runners(lab: gitlab.Gitlab, place: Place, project) -> None:
    lab.auth()
    made = lab.user.runners.create({"runner_type": "project_type", "project_id": project.id, "tag_list": "a,b"})
    assert runner_by_token(place.core, made.token).id == made.id
    runner = lab.runners.get(made.id)
    assert (runner.tag_list, runner.status) == (["a", "b"], "never_contacted")
    runner.paused = True
    runner.save()
    assert [row.id for row in lab.runners.list(paused=True, get_all=True)] == [made.id]
    assert [row.id for row in project.runners.list(get_all=True)] == [made.id]
    assert runner.jobs.list(get_all=True) == []
    with pytest.raises(gitlab.GitlabListError):
        lab.runners_all.list(get_all=True)
    runner.delete()
    assert lab.runners.list(get_all=True) == []


def test_a_job_speaks_for_itself(server: LiveServer, place: Place) -> None:
    job = place.job(status="running")
    token = place.job_token(job)
    with gitlab.Gitlab(server.url, job_token=token, timeout=30) as client:
        assert client.http_get("/job")["id"] == job.id
        pipeline = client.projects.get(1, lazy=True).pipelines.get(1)
        assert [row.id for row in pipeline.jobs.list(get_all=True)] == [job.id]


def test_groups_and_members(lab: gitlab.Gitlab, place: Place, project) -> None:
    group = lab.groups.create({"name": "Moon", "path": "moon", "visibility": "public"})
    below = lab.groups.create({"name": "Base", "path": "base", "parent_id": group.id})
    assert [row.full_path for row in group.subgroups.list(get_all=True)] == ["moon/base"]
    assert [row.id for row in group.descendant_groups.list(get_all=True)] == [below.id]
    group.description = "Far away"
    group.save()
    assert lab.groups.get("moon").description == "Far away"
    assert {row.path for row in lab.groups.list(iterator=True, per_page=1)} == {"acme", "moon", "base"}
    made = lab.projects.create({"name": "Lander", "namespace_id": below.id})
    assert [row.id for row in group.projects.list(include_subgroups=True, get_all=True)] == [made.id]
    stranger = place.users["stranger"].id
    member = group.members.create({"user_id": stranger, "access_level": gitlab.const.AccessLevel.DEVELOPER})
    member.access_level = gitlab.const.AccessLevel.MAINTAINER
    member.save()
    assert made.members_all.get(stranger).access_level == 40
    assert stranger not in [row.id for row in made.members.list(get_all=True)]
    assert stranger in [row.id for row in made.members_all.list(get_all=True)]
    group.members.delete(stranger)
    added = project.members.create({"username": "stranger", "access_level": 20})
    assert project.members.get(added.id).username == "stranger"
    added.delete()
    made.delete()
    below.delete()
    with pytest.raises(gitlab.GitlabGetError):
        lab.groups.get(below.id)


def test_editing_a_project(project, pushed: str) -> None:
    project.ci_config_path = "ci.yml"
    project.build_timeout = 1200
    project.save()
    project.archive()
    again = project.manager.get(project.id)
    assert (again.ci_config_path, again.build_timeout, again.archived) == ("ci.yml", 1200, True)
    again.unarchive()
    assert project.manager.get(project.id).archived is False


def test_reading_a_repository(project, pushed: str) -> None:
    [branch] = project.branches.list(get_all=True)
    assert (branch.name, branch.commit["id"]) == ("main", pushed)
    [commit] = project.commits.list(ref_name="main", get_all=True)
    assert [change["new_path"] for change in commit.diff(get_all=True)] == [".gitlab-ci.yml"]
    assert commit.refs(get_all=True) == [{"type": "branch", "name": "main"}]
    file = project.files.get(".gitlab-ci.yml", ref="main")
    assert file.decode().decode() == CONFIGURATION
    assert project.files.raw(".gitlab-ci.yml", ref="main").decode() == CONFIGURATION
    assert project.files.head(".gitlab-ci.yml", ref="main")["X-Gitlab-Size"] == str(len(CONFIGURATION))
    assert [row["path"] for row in project.repository_tree(get_all=True)] == [".gitlab-ci.yml"]
    assert [row["path"] for row in project.repository_tree(iterator=True, pagination="keyset")] == [".gitlab-ci.yml"]
    topic = project.branches.create({"branch": "topic/x", "ref": "main"})
    assert project.branches.get("topic/x").commit["id"] == pushed
    assert project.repository_compare("main", "topic/x")["diffs"] == []
    topic.delete()
    tag = project.tags.create({"tag_name": "v1.0", "ref": "main", "message": "One"})
    assert [(row.name, row.message) for row in project.tags.list(get_all=True)] == [("v1.0", "One")]
    tag.delete()
    with pytest.raises(gitlab.GitlabGetError):
        project.tags.get("v1.0")


def test_protecting_refs(project) -> None:
    rule = project.protectedbranches.create({"name": "live/*", "push_access_level": 0})
    assert project.protectedbranches.get("live/*").push_access_levels[0]["access_level"] == 0
    rule.allow_force_push = True
    rule.save()
    assert {row.name for row in project.protectedbranches.list(get_all=True)} == {"main", "live/*"}
    rule.delete()
    project.protectedtags.create({"name": "v*", "create_access_level": 30})
    assert project.protectedtags.get("v*").create_access_levels[0]["access_level"] == 30
    project.protectedtags.delete("v*")
    assert project.protectedtags.list(get_all=True) == []


def test_statuses_of_a_commit(project, pushed: str) -> None:
    commit = project.commits.get(pushed)
    commit.statuses.create({"state": "running", "context": "ci/other", "target_url": "https://other.example/1"})
    made = commit.statuses.create({"state": "success", "context": "ci/other", "coverage": 90})
    assert [(row.id, row.status, row.coverage) for row in commit.statuses.list(get_all=True)] == [
        (made.id, "success", 90)
    ]
    assert project.commits.get(pushed).last_pipeline["status"] == "success"
    with pytest.raises(gitlab.GitlabCreateError) as caught:
        commit.statuses.create({"state": "unheard of"})
    assert caught.value.error_message == "state does not have a valid value"


def test_rotating_tokens(lab: gitlab.Gitlab, place: Place) -> None:
    other = place.token(place.users["owner"])
    row = next(token for token in lab.personal_access_tokens.list(get_all=True) if token.id > 7)
    row.rotate()
    with pytest.raises(gitlab.GitlabAuthenticationError), gitlab.Gitlab(lab.url, private_token=other) as client:
        client.auth()
    with gitlab.Gitlab(lab.url, private_token=row.token) as client:
        client.auth()
        assert client.user.username == "owner"


def test_changing_files(project, pushed: str) -> None:
    made = project.commits.create(
        {
            "branch": "topic",
            "start_branch": "main",
            "commit_message": "Two",
            "actions": [{"action": "create", "file_path": f"dir/{name}", "content": name} for name in ("a", "b")],
        }
    )
    assert made.parent_ids == [pushed]
    given = {"branch": "topic", "commit_message": "One", "file_path": "dir/c d"}
    file = project.files.create({**given, "content": "first"})
    assert file.file_path == "dir/c d"
    read = project.files.get("dir/c d", ref="topic")
    read.content = "second"
    read.save(branch="topic", commit_message="Again", encoding="text")
    assert project.files.raw("dir/c d", ref="topic") == b"second"
    project.files.delete("dir/a", "topic", "Remove")
    assert [row["name"] for row in project.repository_tree("dir", ref="topic", get_all=True)] == ["b", "c d"]


def test_schedules(project, pushed: str) -> None:
    given = {"description": "Every night", "ref": "main", "cron": "0 1 * * *", "cron_timezone": "Asia/Tokyo"}
    made = project.pipelineschedules.create(given)
    assert (made.ref, made.next_run_at[11:]) == ("refs/heads/main", "16:00:00.000Z")
    made.variables.create({"key": "DEPTH", "value": "deep"})
    made.variables.update("DEPTH", {"value": "deeper"})
    schedule = project.pipelineschedules.get(made.id)
    assert [(row["key"], row["value"]) for row in schedule.attributes["variables"]] == [("DEPTH", "deeper")]
    schedule.play()  # after which the client knows nothing of the schedule any more
    schedule = project.pipelineschedules.get(made.id)
    (pipeline,) = schedule.pipelines.list(get_all=True)
    assert project.pipelines.get(pipeline.id).source == "schedule"
    assert project.pipelines.get(pipeline.id).variables.list(get_all=True)[0].value == "deeper"
    schedule.active = False
    schedule.save()
    assert [row.id for row in project.pipelineschedules.list(scope="inactive", get_all=True)] == [made.id]
    schedule.take_ownership()
    schedule.variables.delete("DEPTH")
    schedule.delete()
    assert project.pipelineschedules.list(get_all=True) == []


def test_variables_of_the_instance(lab: gitlab.Gitlab, place: Place) -> None:
    place.set(place.users["owner"], is_admin=True)
    lab.variables.create({"key": "PROXY", "value": "http://proxy"})
    variable = lab.variables.get("PROXY")
    variable.value = "none"
    variable.save()
    assert [row.value for row in lab.variables.list(get_all=True)] == ["none"]
    variable.delete()
    assert lab.variables.list(get_all=True) == []


def test_a_pipeline_with_variables_and_inputs(project, pushed: str) -> None:
    made = project.pipelines.create({"ref": "main", "variables": [{"key": "A", "value": "1"}]})
    assert [(row.key, row.value) for row in made.variables.list(get_all=True)] == [("A", "1")]
    with pytest.raises(gitlab.GitlabCreateError, match="inputs"):
        project.pipelines.create({"ref": "main", "inputs": {"unknown": 1}})


def test_triggers(place: Place, project, server: LiveServer, pushed: str) -> None:
    made = project.triggers.create({"description": "from outside"})
    assert made.token.startswith("glptt-")
    with gitlab.Gitlab(server.url) as anyone:
        pipeline = anyone.projects.get(project.id, lazy=True).trigger_pipeline("main", made.token, {"WHO": "ada"})
    assert (pipeline.sha, pipeline.source) == (pushed, "trigger")
    assert "WHO" in {one.key for one in project.pipelines.get(pipeline.id).variables.list(get_all=True)}
    made.description = "changed"
    made.save()
    assert [one.description for one in project.triggers.list(get_all=True)] == ["changed"]
    made.delete()
    assert project.triggers.list(get_all=True) == []
