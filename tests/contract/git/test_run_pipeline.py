"""Pipelines that somebody asks for by the name of a ref, refused in GitLab's words."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.errors import InvalidConfiguration, InvalidRequest, NotAllowed, NotFound, SkerryError
from app.domain.permissions import Role
from app.domain.plan import Variable
from app.models import Pipeline, Project, User, write
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.kept_variables import open_variables
from app.services.pipelines.request_for_ref import request_for_ref
from tests.contract.git.conftest import Hosted
from tests.databases import BOTH
from tests.factories import make_member, make_user
from tests.git_client import Checkout


def run(hosted: Hosted, ref: str, user: User | None = None, *variables: Variable) -> Pipeline:
    hosted.core.session.rollback()
    request = request_for_ref(hosted.core, hosted.project, ref, user or hosted.owner, variables=variables)
    return run_pipeline(hosted.core, request)


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_branch_or_tag_is_run_with_the_variables_given(hosted: Hosted, pushed: Checkout) -> None:
    pushed.git("tag", "v1")
    assert pushed.push("v1", "--push-option=ci.no_pipeline").ok
    given = Variable("A", "b", public=False)
    made = run(hosted, "main", None, given)
    assert (made.ref, made.tag, made.source, made.status, made.before_sha) == (
        "main",
        False,
        "api",
        "pending",
        "0" * 40,
    )
    assert open_variables(hosted.core, made.variables_sealed, made.seal_context) == [given]
    assert (run(hosted, "v1").tag, run(hosted, "refs/tags/v1").ref, run(hosted, "refs/heads/main").ref) == (
        True,
        "v1",
        "main",
    )


def test_a_skip_in_the_message_does_not_stop_who_asks(hosted: Hosted, pushed: Checkout) -> None:
    pushed.commit({"a": "1"}, "[ci skip]")
    assert pushed.push("main").ok
    assert run(hosted, "main").status == "pending"


@pytest.mark.parametrize(
    "ref", ["none", "", "HEAD", "$(touch x);--upload-pack=y", "--all", "main~1", "a\nb", "\0", "refs/pipelines/1"]
)
def test_what_is_no_ref_is_not_found(hosted: Hosted, pushed: Checkout, ref: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^Reference not found$") as refused:
        run(hosted, ref)
    assert refused.value.field == "base"


def test_a_name_of_a_branch_and_a_tag_is_ambiguous(hosted: Hosted, pushed: Checkout) -> None:
    assert pushed.push("HEAD:refs/heads/both", "HEAD:refs/tags/both").ok
    with pytest.raises(InvalidRequest, match=r"^Ref is ambiguous$"):
        run(hosted, "both")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"README": "x"}, "Missing CI config file"),
        ({".gitlab-ci.yml": "build: {scrpt: x}"}, "build"),
        ({".gitlab-ci.yml": b"\xff"}, "The file is not UTF-8 text"),
        (
            {".gitlab-ci.yml": "build: {script: x, variables: {A: $B, B: $A}}"},
            'build: circular variable reference detected: ["A", "B"]',
        ),
    ],
)
def test_a_broken_configuration_raises_and_makes_nothing(
    hosted: Hosted, checkout: Checkout, files: dict[str, str | bytes], message: str
) -> None:
    checkout.git("rm", "--quiet", ".gitlab-ci.yml")
    checkout.commit(files)
    assert checkout.push("main", "--push-option=ci.no_pipeline").ok
    with pytest.raises(InvalidConfiguration) as refused:
        run(hosted, "main")
    assert message in str(refused.value)
    assert len(refused.value.diagnostics) >= 1
    assert hosted.core.session.scalar(select(Pipeline)) is None


@pytest.mark.parametrize(
    ("role", "ref", "error", "words"),
    [
        (Role.NONE, "topic", NotFound, "Project not found"),
        (Role.REPORTER, "topic", NotAllowed, "does not allow"),
        (Role.DEVELOPER, "topic", None, ""),
        (Role.DEVELOPER, "main", InvalidRequest, "You do not have sufficient permission to run a pipeline on 'main'."),
        (Role.MAINTAINER, "main", None, ""),
    ],
)
def test_who_may_run_what(
    hosted: Hosted, pushed: Checkout, role: Role, ref: str, error: type[SkerryError] | None, words: str
) -> None:
    assert pushed.push("HEAD:refs/heads/topic").ok
    user = make_user(hosted.core)
    if role:
        make_member(hosted.core, user, hosted.project, role)
    if error is None:
        assert run(hosted, ref, user).user_id == user.id
        return
    with pytest.raises(error, match=words):
        run(hosted, ref, user)


def test_an_archived_project_runs_nothing(hosted: Hosted, pushed: Checkout) -> None:
    project_id = hosted.project.id
    with write(hosted.core.session):
        hosted.core.session.get_one(Project, project_id).archived = True
    with pytest.raises(InvalidRequest, match="Pipelines are disabled!"):
        run(hosted, "main")


def test_the_jobs_carry_what_the_configuration_says(hosted: Hosted, checkout: Checkout, tmp_path: Path) -> None:
    checkout.commit(
        {
            ".gitlab-ci.yml": """
stages: [one, two]
a: {stage: one, script: x, tags: [b, a], timeout: 10 minutes}
b: {stage: two, script: [x], after_script: [y], when: manual, needs: [a]}
c: {stage: two, script: x, when: on_failure}
"""
        }
    )
    assert checkout.push("main").ok
    jobs = {job.name: job for job in hosted.pipelines()[0].jobs}
    assert [jobs[name].status for name in "abc"] == ["pending", "created", "created"]
    assert (jobs["a"].tags, jobs["a"].timeout, jobs["a"].protected) == (["a", "b"], 600, True)
    assert (jobs["b"].allow_failure, jobs["b"].needs, jobs["b"].when) == (True, [{"job": "a"}], "manual")
    assert [step.name for step in jobs["b"].steps] == ["script", "after_script"]
    assert all(job.required_features == [] for job in jobs.values())
    assert jobs["a"].waiting_reason
