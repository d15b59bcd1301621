"""What a push's configuration is compiled against: the files of its commit, and what changed."""

import pytest
from sqlalchemy import select

from app.git.repository import Repository
from app.models import Job
from tests.contract.git.conftest import Hosted
from tests.git_client import PIPELINE, Checkout

WARNED = "build: {script: [make], rules: [{when: always}]}\n"
COMPARED = """
same: {script: [x], rules: [{changes: {paths: [src/*], compare_to: %s}}]}
other: {script: [x], rules: [{changes: {paths: [elsewhere/*], compare_to: %s}}]}
always: {script: [x]}
"""


def names(hosted: Hosted) -> set[str]:
    newest = hosted.pipelines()[-1]
    return set(hosted.core.session.scalars(select(Job.name).where(Job.pipeline_id == newest.id)))


@pytest.mark.parametrize(
    ("configuration", "listed"),
    [
        (PIPELINE, 0),
        ("build: {script: [x], cache: {key: one, paths: [a]}}\n", 0),
        ("build: {script: [x], cache: {key: {files: [README]}, paths: [a]}}\n", 1),
        ("a: {script: [x], rules: [{exists: [README]}]}\nb: {script: [x], rules: [{exists: [a*]}]}\n", 1),
        ("include: 'ci/*.yml'\nbuild: {script: [x]}\n", 1),
    ],
)
def test_files_are_listed_once_and_only_for_a_configuration_that_asks(
    hosted: Hosted, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, configuration: str, listed: int
) -> None:
    calls: list[str] = []
    list_files = Repository.list_files

    def counted(self: Repository, commit_id: str) -> dict[str, str]:
        calls.append(commit_id)
        return list_files(self, commit_id)

    monkeypatch.setattr(Repository, "list_files", counted)
    checkout.commit({".gitlab-ci.yml": configuration, "README": "x"})
    assert checkout.push("main").ok
    assert len(calls) == listed


@pytest.mark.parametrize("base", ["main", "v1", "refs/heads/main", "commit"])
def test_changes_are_compared_with_where_a_branch_left_another(hosted: Hosted, pushed: Checkout, base: str) -> None:
    start = pushed.git("rev-parse", "HEAD")
    pushed.git("tag", "v1")
    pushed.git("checkout", "--quiet", "-b", "topic")
    ref = start if base == "commit" else base
    pushed.commit({"src/a": "1", ".gitlab-ci.yml": COMPARED % (ref, ref)})
    pushed.git("checkout", "--quiet", "main")
    pushed.commit({"elsewhere/b": "1"})
    pushed.git("checkout", "--quiet", "topic")
    assert pushed.push("main", "v1", "--push-option=ci.no_pipeline").ok
    pushed.commit({"unrelated": "1"})
    assert pushed.push("topic").ok
    assert names(hosted) == {"same", "always"}


def test_a_ref_that_is_not_there_cannot_be_compared_with(hosted: Hosted, pushed: Checkout) -> None:
    pushed.commit({".gitlab-ci.yml": COMPARED % ("nowhere", "nowhere")})
    assert "compare_to is not a valid ref" in pushed.push("main").text
    assert hosted.pipelines()[-1].failure_reason == "config_error"


def test_a_warning_is_told_to_who_pushes_and_kept_for_the_page(hosted: Hosted, checkout: Checkout) -> None:
    checkout.commit({".gitlab-ci.yml": WARNED})
    told = checkout.push("main").text
    (made,) = hosted.pipelines()
    assert "may allow multiple pipelines" in told
    assert (made.status, made.yaml_errors) == ("pending", None)
    assert "may allow multiple pipelines" in (made.yaml_warnings or "")
