"""Every method of python-gitlab that touches CI is called once, and what comes back is looked at.

The client's own classes say which methods there are: a new one in a newer client fails the test until it is called
here, or stands in NOT_HERE with its reason.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import wraps
from importlib import import_module
from typing import Any

import gitlab
import pytest
from gitlab.base import RESTManager, RESTObject

from tests.conftest import LiveServer
from tests.support.place import Place, zipped

#: The client's modules about CI, and of two large ones the classes that count.
MODULES = (
    *("pipelines", "jobs", "artifacts", "triggers", "variables", "runners", "environments", "deployments"),
    *("releases", "resource_groups", "job_token_scope", "personal_access_tokens", "project_access_tokens"),
    *("group_access_tokens", "ci_lint", "branches", "tags"),
)
CLASSES = {"commits": ("ProjectCommitStatusManager",)}
#: What no server of ours answers, and why.
NOT_HERE = {
    "ProjectMergeRequestPipelineManager": "there are no merge requests",
    "ProjectProtectedEnvironmentManager": "part of GitLab's paid editions",
    "ProjectProtectedEnvironment": "part of GitLab's paid editions",
    "GroupProtectedBranchManager": "part of GitLab's paid editions",
    "GroupProtectedBranch": "part of GitLab's paid editions",
    "ProjectDeployment.approval": "part of GitLab's paid editions",
    "CiLintManager": "GitLab 16 removed what it calls",
}
CONFIGURATION = """
stages: [build, deploy]
compile: {stage: build, script: [make], resource_group: prod}
release: {stage: build, when: manual, script: [make release]}
"""


def classes() -> Iterator[type]:
    for name in (*MODULES, *CLASSES):
        module = import_module(f"gitlab.v4.objects.{name}")
        for each in vars(module).values():
            own = inspect.isclass(each) and each.__module__ == module.__name__
            if (
                own
                and issubclass(each, RESTManager | RESTObject)
                and each.__name__ in CLASSES.get(name, [each.__name__])
            ):
                yield each


def methods(of: type) -> list[str]:
    base = {*dir(RESTManager), *dir(RESTObject)}
    return [name for name in dir(of) if name[0] != "_" and name not in base and inspect.isfunction(getattr(of, name))]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """`Class.method` of what was called."""
    names: set[str] = set()

    def recorded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def record(*given: Any, **named: Any) -> Any:
            names.add(name)
            return method(*given, **named)

        return record

    for each in classes():
        for method in methods(each):
            monkeypatch.setattr(each, method, recorded(f"{each.__name__}.{method}", getattr(each, method)))
    return names


class World:
    """The client as the project's owner (`lab`) and as an administrator (`root`), and a project with one commit."""

    def __init__(self, place: Place, lab: gitlab.Gitlab, root: gitlab.Gitlab) -> None:
        self.place, self.lab, self.root = place, lab, root
        self.project: Any = lab.projects.get("acme/rocket")
        action = {"action": "create", "file_path": ".gitlab-ci.yml", "content": CONFIGURATION}
        given = {"branch": "main", "commit_message": "Begin [ci skip]", "actions": [action]}
        self.sha = self.project.commits.create(given).id


def heads(*managers: Any, **given: Any) -> None:
    """HEAD answers with the headers of GET."""
    for manager in managers:
        assert manager.head(**given)["Content-Type"] == "application/json"


def ids(manager: Any, **given: Any) -> list[Any]:
    return [row.get_id() for row in manager.list(get_all=True, **given)]


def pipelines(world: World) -> None:
    project = world.project
    assert project.ci_lint.get().valid is project.ci_lint.create({"content": CONFIGURATION}).valid is True
    project.ci_lint.validate({"content": CONFIGURATION})
    with pytest.raises(gitlab.GitlabCiLintError):
        project.ci_lint.validate({"content": "build: {script: []}"})
    made = project.pipelines.create({"ref": "main", "variables": [{"key": "A", "value": "1"}]})
    assert project.pipelines.latest().id == project.pipelines.get(made.id).id == made.id
    assert [row.key for row in made.variables.list(get_all=True)] == ["A"]
    assert [row.name for row in made.jobs.list(get_all=True)] == ["release", "compile"]
    assert made.bridges.list(get_all=True) == []
    assert made.test_report.get().total_count == made.test_report_summary.get().total["count"] == 0
    heads(project.pipelines, made.variables, made.jobs, made.bridges, made.test_report, made.test_report_summary)
    heads(project.ci_lint)
    group = project.resource_groups.get("prod")
    assert ids(project.resource_groups) == ["prod"]
    assert len(group.upcoming_jobs.list(get_all=True)) == 0
    group.process_mode = "newest_first"
    group.save()
    project.resource_groups.update("prod", {"process_mode": "oldest_first"})
    heads(project.resource_groups, group.upcoming_jobs)
    made.cancel()
    made.refresh()
    assert made.status == "canceled"
    made.retry()
    made.cancel()
    made.delete()
    second = project.pipelines.create({"ref": "main"})
    project.pipelines.delete(second.id)
    assert ids(project.pipelines, status="canceled") == []


def jobs(world: World) -> None:
    place, project = world.place, world.project
    ended = place.job(name="build", status="success")
    place.log(ended, b"hello\n")
    place.archive(ended, data := zipped({"a/b": b"1"}))
    place.set(place.pipeline, status="success")
    job = project.jobs.get(ended.id)
    job.refresh()
    assert (job.trace(), job.artifacts(), job.artifact("a/b")) == (b"hello\n", data, b"1")
    assert project.artifacts.download("main", "build") == data
    assert project.artifacts.raw("main", "a/b", "build") == b"1"
    job.keep_artifacts()
    job.delete_artifacts()
    job.erase()
    place.archive(place.job(name="other", status="success"), data)
    project.artifacts.delete()
    with pytest.raises(gitlab.GitlabGetError):
        project.artifacts.download("main", "other")
    waiting, manual = place.job(), place.job(status="manual", when="manual")
    job = project.jobs.get(waiting.id)
    assert job.cancel()["status"] == "canceled"
    assert job.retry()["id"] > waiting.id
    project.jobs.get(manual.id).play(job_variables={"WHO": "ada"})
    assert set(ids(project.jobs, scope=["canceled", "pending"])) >= {waiting.id, manual.id}
    heads(project.jobs)


def schedules(world: World) -> None:
    manager = world.project.pipelineschedules
    made = manager.create({"description": "nightly", "ref": "main", "cron": "0 1 * * *"})
    made.variables.create({"key": "A", "value": "1"})
    variable = made.variables.create({"key": "B", "value": "1"})
    variable.value = "2"
    variable.save()
    variable.delete()
    made.variables.update("A", {"value": "2"})
    made.variables.delete("A")
    made.take_ownership()
    manager.get(made.id).play()
    assert len(manager.get(made.id).pipelines.list(get_all=True)) == 1
    made = manager.get(made.id)
    heads(manager, made.pipelines)
    made.cron = "0 2 * * *"
    made.save()
    assert manager.update(made.id, {"active": False})["cron"] == "0 2 * * *"
    assert ids(manager) == [made.id]
    made.delete()
    manager.delete(manager.create({"description": "again", "ref": "main", "cron": "0 1 * * *"}).id)


def triggers(world: World) -> None:
    manager = world.project.triggers
    made = manager.create({"description": "one"})
    assert world.project.trigger_pipeline("main", made.token, {"WHO": "ada"}).source == "trigger"
    made.description = "two"
    made.save()
    assert manager.update(made.id, {"description": "three"})["description"] == manager.get(made.id).description
    heads(manager)
    assert ids(manager) == [made.id]
    made.delete()
    manager.delete(manager.create({"description": "four"}).id)


def variables(world: World) -> None:
    group = world.lab.groups.get("acme")
    for manager in (world.project.variables, group.variables, world.root.variables):
        made = manager.create({"key": "A", "value": "1"})
        made.value = "2"
        made.save()
        assert (manager.get("A").value, ids(manager)) == ("2", ["A"])
        assert manager.update("A", {"value": "3"})["value"] == "3"
        heads(manager)
        made.delete()
        manager.create({"key": "B", "value": "1"})
        manager.delete("B")


def runners(world: World) -> None:
    lab, root, project = world.lab, world.root, world.project
    lab.auth()
    made = lab.user.runners.create({"runner_type": "project_type", "project_id": project.id, "tag_list": ["a"]})
    lab.runners.verify(made.token)
    runner = lab.runners.get(made.id)
    runner.paused = True
    runner.save()
    assert lab.runners.update(made.id, {"description": "one"})["paused"] is True
    assert ids(lab.runners) == ids(root.runners_all) == [row.id for row in root.runners.all()] == [made.id]
    assert runner.jobs.list(get_all=True) == []
    other = lab.projects.create({"name": "Second", "namespace_id": project.namespace["id"]})
    other.runners.create({"runner_id": made.id})
    assert ids(other.runners) == [made.id]
    other.runners.list(get_all=True)[0].delete()
    other.runners.create({"runner_id": made.id})
    other.runners.delete(made.id)
    group = lab.groups.get("acme")
    assert group.runners.list(get_all=True) == []
    heads(lab.runners, root.runners_all, runner.jobs, project.runners, group.runners)
    token = lab.http_post(f"/projects/{project.id}/runners/reset_registration_token")["token"]
    registered = lab.runners.create({"token": token, "description": "by token"})
    assert lab.runners.get(registered.id).runner_type == "project_type"
    lab.runners.delete(registered.id)
    runner.delete()


def deliveries(world: World) -> None:
    project = world.project
    made = project.environments.create({"name": "review/x"})
    made.external_url = "https://x.example.com"
    made.save()
    assert project.environments.update(made.id, {"tier": "other"})["external_url"] == "https://x.example.com"
    assert (project.environments.get(made.id).name, ids(project.environments)) == ("review/x", [made.id])
    given = {"environment": "live", "sha": world.sha, "ref": "main", "tag": False, "status": "running"}
    deployment = project.deployments.create(given)
    deployment.status = "success"
    deployment.save()
    assert project.deployments.update(deployment.id, {"status": "success"})["environment"]["name"] == "live"
    assert (project.deployments.get(deployment.id).status, ids(project.deployments)) == ("success", [deployment.id])
    heads(project.environments, project.deployments)
    made.stop()
    made.delete()
    live = project.environments.list(name="live", get_all=True)[0]
    live.stop()
    project.environments.delete(live.id)


def releases(world: World) -> None:
    manager = world.project.releases
    made = manager.create({"tag_name": "v1", "ref": "main", "name": "One", "description": "First"})
    made.name = "Two"
    made.save()
    assert manager.update("v1", {"description": "Second"})["name"] == manager.get("v1").name == "Two"
    link = made.links.create({"name": "binary", "url": "https://example.com/1"})
    link.name = "program"
    link.save()
    assert made.links.update(link.id, {"url": "https://example.com/2"})["name"] == made.links.get(link.id).name
    assert (ids(made.links), ids(manager)) == ([link.id], ["v1"])
    heads(manager, made.links)
    link.delete()
    made.links.delete(made.links.create({"name": "binary", "url": "https://example.com/3"}).id)
    manager.delete("v1")


def scope(world: World) -> None:
    project, lab = world.project, world.lab
    other = lab.projects.create({"name": "Third", "namespace_id": project.namespace["id"]})
    held = project.job_token_scope.get()
    assert held.inbound_enabled is True
    held.enabled = False
    held.save()
    project.job_token_scope.update(new_data={"enabled": True})
    held.refresh()
    assert held.inbound_enabled is True
    held.allowlist.create({"target_project_id": other.id})
    assert ids(held.allowlist) == [project.id, other.id]
    held.allowlist.list(get_all=True)[1].delete()
    held.allowlist.create({"target_project_id": other.id}).delete()
    held.allowlist.create({"target_project_id": other.id})
    held.allowlist.delete(other.id)
    group = project.namespace["id"]
    held.groups_allowlist.create({"target_group_id": group}).delete()
    held.groups_allowlist.create({"target_group_id": group})
    assert ids(held.groups_allowlist) == [group]
    held.groups_allowlist.delete(group)
    heads(project.job_token_scope, held.allowlist, held.groups_allowlist)


def tokens(world: World) -> None:
    given = {"name": "bot", "scopes": ["api"], "access_level": 30}
    for manager in (world.project.access_tokens, world.lab.groups.get("acme").access_tokens):
        made = manager.create(given)
        with gitlab.Gitlab(world.lab.url, private_token=made.token) as bot:
            assert world.project.id in [row.id for row in bot.projects.list(membership=True, get_all=True)]
        assert (manager.get(made.id).access_level, ids(manager)) == (30, [made.id])
        made.rotate()
        fresh = manager.rotate(made.get_id())["token"]
        newest = manager.list(state="active", get_all=True)[0]
        heads(manager)
        newest.delete()
        with gitlab.Gitlab(world.lab.url, private_token=fresh) as bot, pytest.raises(gitlab.GitlabAuthenticationError):
            bot.auth()
        manager.delete(manager.create(given).id)
    everybody = world.root.users.get(world.place.users["stranger"].id, lazy=True).personal_access_tokens
    own = world.root.personal_access_tokens
    made = everybody.create({"name": "one", "scopes": ["read_api"]})
    row = own.get(made.id)
    row.rotate()
    own.rotate(row.get_id())
    heads(own)
    active = [row for row in own.list(user_id=made.user_id, state="active", get_all=True) if row.name == "one"]
    active[0].delete()
    own.delete(everybody.create({"name": "two", "scopes": ["read_api"]}).id)


def refs(world: World) -> None:
    project = world.project
    statuses = project.commits.get(world.sha).statuses
    statuses.create({"state": "success", "name": "other"})
    assert "other" in [row.name for row in statuses.list(get_all=True)]
    heads(statuses, project.branches, project.tags, project.protectedbranches, project.protectedtags)
    project.branches.create({"branch": "a", "ref": "main"}).delete()
    project.branches.create({"branch": "b", "ref": "main"})
    assert project.branches.get("b").name in ids(project.branches)
    project.branches.delete("b")
    project.tags.create({"tag_name": "a", "ref": "main"}).delete()
    project.tags.create({"tag_name": "b", "ref": "main"})
    assert project.tags.get("b").name in ids(project.tags)
    project.tags.delete("b")
    rule = project.protectedbranches.create({"name": "live/*"})
    rule.allow_force_push = True
    rule.save()
    project.protectedbranches.update("live/*", {"allow_force_push": False})
    assert project.protectedbranches.get("live/*").name in ids(project.protectedbranches)
    rule.delete()
    project.protectedbranches.create({"name": "old"})
    project.protectedbranches.delete("old")
    project.protectedtags.create({"name": "v*"}).delete()
    project.protectedtags.create({"name": "w*"})
    assert project.protectedtags.get("w*").name in ids(project.protectedtags)
    project.protectedtags.delete("w*")


def test_every_method_about_ci_does_its_work(server: LiveServer, place: Place, called: set[str]) -> None:
    with ExitStack() as stack:
        lab, root = (
            stack.enter_context(gitlab.Gitlab(server.url, private_token=place.tokens[name], timeout=30))
            for name in ("owner", "admin")
        )
        world = World(place, lab, root)
        for flow in (
            pipelines,
            jobs,
            schedules,
            triggers,
            variables,
            runners,
            deliveries,
            releases,
            refs,
            scope,
            tokens,
        ):
            flow(world)
    there = {f"{each.__name__}.{method}" for each in classes() for method in methods(each)}
    wanted = {name for name in there if not {name, name.partition(".")[0]} & NOT_HERE.keys()}
    assert sorted(wanted - called) == []
