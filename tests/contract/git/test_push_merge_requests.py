"""`git push -o merge_request.create`: pipelines of merge requests, and what makes none (gitlab.md A.8)."""

import pytest

from app.models import MergeRequest, Pipeline, ProtectedRef, Push, write
from app.services.pipelines.start_downstream import start_downstream
from app.services.pipelines.variables import job_variables
from tests.contract.git.conftest import Hosted
from tests.git_client import Checkout

CONFIGURATION = """
workflow:
  rules:
    - {if: $CI_PIPELINE_SOURCE == "merge_request_event"}
    - {if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS, when: never}
    - {if: $CI_COMMIT_BRANCH}
always: {script: x}
branch: {script: x, only: [branches]}
request: {script: x, only: [merge_requests]}
to main: {script: x, rules: [{if: $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == "main"}]}
docs: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID, changes: [docs/*]}]}
code: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID, changes: [src/*]}]}
"""
CREATE = "--push-option=merge_request.create"


def jobs(hosted: Hosted, pipeline: Pipeline) -> set[str]:
    hosted.core.session.rollback()
    return {job.name for job in hosted.core.session.get_one(Pipeline, pipeline.id).jobs}


def test_a_merge_request_pipeline_sees_the_whole_branch_and_its_target(hosted: Hosted, pushed: Checkout) -> None:
    base = pushed.commit({".gitlab-ci.yml": CONFIGURATION})
    assert pushed.push("main").ok
    assert jobs(hosted, hosted.pipelines()[-1]) == {"always", "branch"}
    pushed.git("switch", "--quiet", "--create", "topic")
    pushed.commit({"docs/a": "1"}, "Write")
    pushed.commit({"other": "1"}, "Go on")
    made = pushed.push("topic", CREATE, "--push-option=merge_request.label=a", "--push-option=mr.label=b")
    assert made.ok, made.text
    request = hosted.pipelines()[-1]
    assert (len(hosted.pipelines()), request.source, request.ref) == (3, "merge_request_event", "topic")
    assert jobs(hosted, request) == {"always", "request", "to main", "docs"}
    assert "remote: No pipeline for topic: Pipeline filtered out by workflow rules." in made.text
    job = request.jobs[0]
    found = {one.key: one.value for one in job_variables(hosted.core, job, None, "glcbt-x")}
    known = {key.removeprefix("CI_MERGE_REQUEST_"): found[key] for key in found if key.startswith("CI_MERGE_REQUEST_")}
    assert known == {
        "ID": "1",
        "IID": "1",
        "EVENT_TYPE": "detached",
        "REF_PATH": "refs/heads/topic",
        "DIFF_BASE_SHA": base,
        "DRAFT": "false",
        "SOURCE_BRANCH_NAME": "topic",
        "SOURCE_BRANCH_PROTECTED": "false",
        "SOURCE_BRANCH_SHA": "",
        "TARGET_BRANCH_NAME": "main",
        "TARGET_BRANCH_PROTECTED": "true",
        "TARGET_BRANCH_SHA": "",
        "TITLE": "Go on",
        "DESCRIPTION": "",
        "DESCRIPTION_IS_TRUNCATED": "false",
        "LABELS": "a,b",
        **{
            f"{side}PROJECT_{key}": value
            for side in ("", "SOURCE_")
            for key, value in {
                "ID": str(hosted.project.id),
                "PATH": "tools/hello",
                "URL": f"{hosted.server.url}/tools/hello",
            }.items()
        },
    }
    assert found["CI_OPEN_MERGE_REQUESTS"] == "tools/hello!1"
    assert (found["CI_COMMIT_REF_NAME"], found["CI_COMMIT_BEFORE_SHA"]) == ("topic", "0" * 40)
    assert "CI_COMMIT_BRANCH" not in found


def test_the_number_stays_for_two_branches_and_what_was_said_too(hosted: Hosted, pushed: Checkout) -> None:
    pushed.git("push", "--quiet", "origin", "main:next")
    titled = "--push-option=merge_request.title=A title"
    targeted, full = (f"--push-option=merge_request.target={name}" for name in ("next", "refs/heads/next"))
    for file, options in (("1", [titled]), ("2", []), ("3", [targeted]), ("4", [full])):
        pushed.commit({file: file})
        assert pushed.push("HEAD:refs/heads/topic", CREATE, *options).ok
    assert len(hosted.pipelines()) == 6  # of no merge request: the configuration has no rule for one
    rows = hosted.core.session.query(MergeRequest).order_by(MergeRequest.iid).all()
    assert [(row.iid, row.target_branch, row.title) for row in rows] == [(1, "main", "A title"), (2, "next", "Change")]


def test_a_protected_branch_gives_a_merge_request_nothing_of_its_own(hosted: Hosted, pushed: Checkout) -> None:
    with write(hosted.core.session):
        hosted.core.session.add(ProtectedRef(project_id=1, kind="branch", pattern="topic", push_role=40))
    pushed.commit({".gitlab-ci.yml": "job: {script: x, only: [merge_requests, branches]}"})
    assert pushed.push("HEAD:refs/heads/topic", CREATE).ok
    branch, request = hosted.pipelines()[-2:]
    assert (branch.protected, branch.source, request.protected, request.source) == (
        True,
        "push",
        False,
        "merge_request_event",
    )
    assert {job.protected for job in request.jobs} == {False}


def test_what_cannot_be_a_merge_request_says_so_and_the_branch_has_its_pipeline(
    hosted: Hosted, pushed: Checkout
) -> None:
    for option, said in (
        ("merge_request.create", "a branch cannot be merged into itself."),
        ("merge_request.target=gone", "that takes merge_request.create."),
    ):
        pushed.commit({"a": option})
        result = pushed.push("main", f"--push-option={option}")
        assert result.ok
        assert said in result.text
    pushed.commit({"a": "x"})
    gone = pushed.push("main", CREATE, "--push-option=merge_request.target=gone")
    assert "remote: No merge request pipeline for main: there is no branch gone to merge into." in gone.text
    assert [one.source for one in hosted.pipelines()] == ["push"] * 4


def test_a_commit_that_is_too_large_to_read_does_not_keep_its_push_from_ending(
    hosted: Hosted, pushed: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.git.objects.COMMIT_LIMIT", 1000)
    pushed.commit({"a": "1"}, "long" * 1000)
    result = pushed.push("HEAD:refs/heads/topic", CREATE)
    assert (result.ok, hosted.pipelines()[-1].ref) == (True, "main")
    assert "No pipeline for topic" in result.text
    assert hosted.core.session.query(Push).filter(Push.finished_at.is_(None)).count() == 0


def test_a_child_of_a_merge_request_sees_the_same(hosted: Hosted, pushed: Checkout) -> None:
    pushed.commit(
        {
            ".gitlab-ci.yml": "start: {trigger: {include: child.yml}, rules: [{if: $CI_MERGE_REQUEST_IID}]}",
            "child.yml": """
docs: {script: x, rules: [{if: $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == "main", changes: [docs/*]}]}
code: {script: x, rules: [{changes: [src/*]}]}
""",
            "docs/a": "1",
        }
    )
    assert pushed.push("HEAD:refs/heads/topic", CREATE).ok
    assert jobs(hosted, hosted.pipelines()[-1]) == {"start"}
    hosted.core.session.rollback()
    start_downstream(hosted.core)
    child = hosted.pipelines()[-1]
    assert (child.source, child.protected, jobs(hosted, child)) == ("parent_pipeline", False, {"docs"})
    keys = {one.key for one in job_variables(hosted.core, child.jobs[0], None, "glcbt-x")}
    assert {"CI_MERGE_REQUEST_IID", "CI_COMMIT_BRANCH"} <= keys
