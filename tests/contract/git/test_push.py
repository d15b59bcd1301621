"""`git push` by the real program: what moves, what is refused and how git shows it, which pipelines come of it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.permissions import Role
from app.models import Job, JobStep, Project, ProtectedRef, Push, write
from tests.contract.git.conftest import Hosted
from tests.databases import BOTH
from tests.git_client import PIPELINE, Checkout, clone


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_push_makes_a_pipeline_and_tells_where_it_is(hosted: Hosted, checkout: Checkout) -> None:
    result = checkout.push("main")
    (pipeline,) = hosted.pipelines()
    (job,) = hosted.core.session.scalars(select(Job))
    assert result.ok, result.text
    assert f"remote: Pipeline for main: {hosted.server.url}/tools/hello/-/pipelines/{pipeline.id}" in result.text
    assert (pipeline.iid, pipeline.ref, pipeline.tag, pipeline.protected, pipeline.source) == (
        1,
        "main",
        False,
        True,
        "push",
    )
    assert pipeline.sha == checkout.git("rev-parse", "HEAD") == hosted.ref(f"refs/pipelines/{pipeline.id}")
    assert (pipeline.status, pipeline.user_id, pipeline.before_sha) == ("pending", hosted.owner.id, "0" * 40)
    assert (job.name, job.status, job.timeout) == ("build", "pending", 3600)
    assert [step.name for step in hosted.core.session.scalars(select(JobStep))] == ["script"]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_next_push_knows_the_commit_before(hosted: Hosted, pushed: Checkout) -> None:
    before = pushed.git("rev-parse", "HEAD")
    after = pushed.commit({"a": "1"})
    assert pushed.push("main").ok
    assert [(found.sha, found.before_sha, found.iid) for found in hosted.pipelines()][1:] == [(after, before, 2)]


def test_a_push_is_journalled_and_the_journal_closed(hosted: Hosted, pushed: Checkout) -> None:
    assert len(hosted.pipelines()) == 1
    push = hosted.core.session.scalars(select(Push)).one()
    head = pushed.git("rev-parse", "HEAD")
    assert push.refs == [{"ref": "refs/heads/main", "old": "0" * 40, "new": head}]
    assert push.finished_at is not None
    assert list((hosted.core.repositories.path(hosted.project.id) / "pushes").iterdir()) == []


def test_tags_make_pipelines_of_the_commit_behind_them(hosted: Hosted, pushed: Checkout) -> None:
    pushed.git("tag", "--annotate", "--message", "Version 1\n\nwith a word", "v1")
    pushed.git("tag", "light")
    assert pushed.push("v1", "light").ok
    head = pushed.git("rev-parse", "HEAD")
    assert {(found.ref, found.tag, found.sha) for found in hosted.pipelines()[1:]} == {
        ("v1", True, head),
        ("light", True, head),
    }


def test_over_four_refs_make_no_pipeline_and_the_push_says_so(hosted: Hosted, pushed: Checkout) -> None:
    names = [f"topic{number}" for number in range(5)]
    four = pushed.push(*(f"HEAD:refs/heads/{name}" for name in names[:4]))
    assert four.ok
    assert len(hosted.pipelines()) == 5
    five = pushed.push(*(f"HEAD:refs/heads/more/{name}" for name in names))
    assert five.ok
    assert "remote: More than 4 branches and tags were pushed at once: no pipelines were created." in five.text
    assert len(hosted.pipelines()) == 5


@pytest.mark.parametrize("words", ["[ci skip]", "[skip ci]", "[CI-SKIP]", "[skip_ci]"])
def test_ci_skip_in_the_message_makes_a_skipped_pipeline(hosted: Hosted, pushed: Checkout, words: str) -> None:
    pushed.commit({"a": "1"}, f"Words only {words}")
    assert pushed.push("main").ok
    assert [found.status for found in hosted.pipelines()] == ["pending", "skipped"]


def test_push_options_skip_omit_and_set_variables(hosted: Hosted, pushed: Checkout) -> None:
    pushed.commit({"a": "1"})
    assert pushed.push("main", "--push-option=ci.skip").ok
    pushed.commit({"a": "2"})
    assert pushed.push("main", "--push-option=ci.no_pipeline").ok
    pushed.commit({"a": "3"})
    third = pushed.push("main", '--push-option=ci.variable="KEY=a value=1"', "--push-option=what=ever")
    first, skipped, with_variable = hosted.pipelines()
    assert "remote: The push option 'what' is not known here and was ignored." in third.text
    # The first has not begun, and the third replaces it.
    assert (first.status, skipped.status, with_variable.status) == ("canceled", "skipped", "pending")
    assert "a value=1" not in (with_variable.variables_sealed or "")
    opened = hosted.core.box.open(with_variable.variables_sealed or "", with_variable.seal_context)
    assert '"KEY"' in opened
    assert '"a value=1"' in opened
    assert "a value" not in str([push.options for push in hosted.core.session.scalars(select(Push))])


def test_a_branch_without_a_configuration_has_no_pipeline(hosted: Hosted, checkout: Checkout) -> None:
    checkout.git("rm", "--quiet", ".gitlab-ci.yml")
    checkout.commit({"README": "no pipeline"})
    result = checkout.push("main")
    assert result.ok
    assert "remote: No pipeline for main: Missing CI config file .gitlab-ci.yml" in result.text
    assert hosted.pipelines() == []


def test_inputs_come_as_push_options_in_their_types(hosted: Hosted, pushed: Checkout) -> None:
    spec = "spec: {inputs: {count: {type: number}, where: {default: here}}}\n---\n"
    pushed.commit({".gitlab-ci.yml": spec + "job: {script: ['echo $[[ inputs.count ]] $[[ inputs.where ]]']}"})
    options = ("--push-option=ci.input=count=7", '--push-option=ci.input="where=over there"')
    assert pushed.push("main", *options).ok
    made = hosted.pipelines()[-1]
    assert made.jobs[0].plan["steps"][0]["script"] == ["echo 7 over there"]
    pushed.commit({"a": "1"})
    broken = pushed.push("main", "--push-option=ci.input=count=many")
    assert "provided value is not a number" in broken.text
    assert hosted.pipelines()[-1].status == "failed"


def test_where_nobody_may_give_variables_a_push_with_some_makes_no_pipeline(hosted: Hosted, pushed: Checkout) -> None:
    with write(hosted.core.session):
        hosted.core.session.get_one(Project, 1).variables_role = "no_one_allowed"
    pushed.commit({"a": "1"})
    refused = pushed.push("main", "--push-option=ci.variable=A=b", "--push-option=merge_request.assign=me")
    assert refused.ok
    assert "No pipelines were created: Insufficient permissions to set pipeline variables." in refused.text
    assert "merge_request.assign' was ignored: nobody merges, reviews or assigns merge requests here" in refused.text
    assert len(hosted.pipelines()) == 1


@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".gitlab-ci.yml": "build:\n  script: [make\n"}, ".gitlab-ci.yml:3:1"),
        ({".gitlab-ci.yml": "build:\n  scrpt: make\n"}, ".gitlab-ci.yml:"),
        ({".gitlab-ci.yml": "a: &a [*a]\n"}, ".gitlab-ci.yml:1:"),
        (
            {".gitlab-ci.yml": "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nbuild: {script: *b, c: *b}\n"},
            ".gitlab-ci.yml:",
        ),
        ({".gitlab-ci.yml": "#" * (2 * 1024 * 1024 + 1)}, "larger than 2097152 bytes"),
        ({".gitlab-ci.yml": b"build:\n  script: \xff\xfe\x00\n"}, ".gitlab-ci.yml:"),
        ({".gitlab-ci.yml": 'build:\n  script: "a\\0b"\n'}, ".gitlab-ci.yml:"),
        ({".gitlab-ci.yml": f"{'n' * 300}:\n  script: make\n"}, ".gitlab-ci.yml:1:"),
        ({".gitlab-ci.yml": "build:\n  variables: {A: $B, B: $A}\n  script: make\n"}, "circular variable reference"),
    ],
)
def test_a_broken_configuration_makes_a_failed_pipeline_that_says_where(
    hosted: Hosted, checkout: Checkout, files: dict[str, str | bytes], expected: str
) -> None:
    checkout.git("rm", "--quiet", ".gitlab-ci.yml")
    checkout.commit(files, "Break it")
    result = checkout.push("main")
    (pipeline,) = hosted.pipelines()
    assert result.ok, result.text
    assert (pipeline.status, pipeline.failure_reason) == ("failed", "config_error")
    assert expected in (pipeline.yaml_errors or "")
    assert expected in result.text
    assert hosted.core.session.scalar(select(Job)) is None


def test_a_configuration_of_nearly_two_mib_is_compiled_in_time(hosted: Hosted, checkout: Checkout) -> None:
    filler = "".join(f".h{number}: {{script: 'echo {'x' * 60}'}}\n" for number in range(20_000))
    checkout.commit({".gitlab-ci.yml": PIPELINE + filler}, "Large")
    result = checkout.push("main")
    assert result.ok, result.text
    assert hosted.pipelines()[0].status in ("pending", "failed")


def test_control_characters_and_emoji_in_a_message_arrive(hosted: Hosted, checkout: Checkout) -> None:
    message = "Fix \x1b[31mred\x07 🦭\u202e\u2028 done\n\n\x01\x02 body"
    checkout.commit({"a": "1"}, message)
    assert checkout.push("main").ok
    commit = hosted.pipelines()[0].commit
    assert commit["message"].strip() == message
    assert "🦭" in commit["title"]


@pytest.mark.parametrize("name", ["$(touch${IFS}x);--upload-pack=y", "a/`id`", "ünïcode/🦭", "x" * 200, "javascript"])
def test_a_branch_may_be_called_anything_that_git_allows(
    hosted: Hosted, pushed: Checkout, tmp_path: Path, name: str
) -> None:
    result = pushed.push(f"HEAD:refs/heads/{name}")
    assert result.ok, result.text
    assert hosted.pipelines()[-1].ref == name
    copy = clone(tmp_path / "copy", hosted.owner_url, "--branch", name)
    assert copy.git("rev-parse", "HEAD") == pushed.git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("refs/pipelines/1", "these refs are kept by the server"),
        ("refs/keep/1", "these refs are kept by the server"),
        ("refs/heads/-x", "this cannot be the name of a branch"),
        ("refs/merge-requests/1/head", "only branches, tags and notes can be pushed"),
        ("refs/heads/" + "/".join(["y" * 200] * 6), "this cannot be the name of a ref here"),
    ],
)
def test_refs_that_are_not_the_users_are_refused_and_the_rest_of_the_push_stands(
    hosted: Hosted, pushed: Checkout, ref: str, reason: str
) -> None:
    kept = hosted.ref("refs/pipelines/1")
    pushed.commit({"a": "1"})
    result = pushed.push(f"+HEAD:{ref}", "HEAD:refs/heads/topic")
    assert not result.ok
    assert "! [remote rejected]" in result.text
    assert f"({reason})" in result.text
    assert hosted.ref("refs/heads/topic") == pushed.git("rev-parse", "HEAD")
    assert hosted.ref("refs/pipelines/1") == kept
    assert [found.ref for found in hosted.pipelines()] == ["main", "topic"]


def test_the_servers_own_refs_are_not_shown_to_writers_and_fetched_by_name(
    hosted: Hosted, pushed: Checkout, tmp_path: Path
) -> None:
    assert "refs/pipelines" in pushed.git("ls-remote", "origin")
    pushed.git("-c", "protocol.version=0", "fetch", "origin", "refs/pipelines/1")
    result = pushed.try_git("push", "--prune", "--dry-run", "--verbose", "origin", "refs/*:refs/*")
    assert "refs/pipelines" not in result.text.replace("refs/remotes", "")


def test_a_developer_pushes_topics_but_not_the_protected_branch(
    hosted: Hosted, pushed: Checkout, tmp_path: Path
) -> None:
    mine = clone(tmp_path / "mine", hosted.url_of(Role.DEVELOPER))
    before = hosted.ref("refs/heads/main")
    mine.commit({"a": "1"})
    result = mine.push("main", "HEAD:refs/heads/topic")
    assert not result.ok
    assert "! [remote rejected] main -> main (you are not allowed to push to this protected branch)" in result.text
    assert "* [new branch]      HEAD -> topic" in result.text
    assert hosted.ref("refs/heads/main") == before
    assert [found.protected for found in hosted.pipelines()] == [True, False]


def test_an_atomic_push_is_refused_whole(hosted: Hosted, pushed: Checkout, tmp_path: Path) -> None:
    mine = clone(tmp_path / "mine", hosted.url_of(Role.DEVELOPER))
    mine.commit({"a": "1"})
    result = mine.push("--atomic", "main", "HEAD:refs/heads/topic")
    assert not result.ok
    assert "atomic push failed" in result.text
    assert hosted.ref("refs/heads/topic") is None


def test_a_protected_branch_is_neither_forced_nor_deleted_and_others_are(hosted: Hosted, pushed: Checkout) -> None:
    pushed.commit({"a": "1"})
    assert pushed.push("main", "HEAD:refs/heads/topic", "HEAD:refs/heads/old").ok
    kept = hosted.ref("refs/heads/main")
    pushed.git("commit", "--quiet", "--amend", "--message", "Otherwise")
    forced = pushed.push("--force", "main", "HEAD:refs/heads/topic")
    assert (
        "! [remote rejected] main -> main (you are not allowed to force push to this protected branch)" in forced.text
    )
    assert "(forced update)" in forced.text
    assert hosted.ref("refs/heads/main") == kept
    assert hosted.ref("refs/heads/topic") == pushed.git("rev-parse", "HEAD")
    deleted = pushed.push("--delete", "main", "old")
    assert "! [remote rejected] main (the default branch cannot be deleted)" in deleted.text
    assert " - [deleted]         old" in deleted.text
    assert hosted.ref("refs/heads/old") is None


def test_a_rule_with_a_wildcard_protects_and_may_allow_force(hosted: Hosted, pushed: Checkout, tmp_path: Path) -> None:
    project_id = hosted.project.id
    with write(hosted.core.session):
        values = {"project_id": project_id, "kind": "branch"}
        hosted.core.session.add(ProtectedRef(pattern="release/*", push_role=40, allow_force_push=True, **values))
        hosted.core.session.add(ProtectedRef(pattern="frozen", push_role=0, **values))
        hosted.core.session.add(ProtectedRef(project_id=project_id, kind="tag", pattern="v*", push_role=40))
    pushed.commit({"a": "1"})
    assert pushed.push("HEAD:refs/heads/release/1", "HEAD:refs/tags/v1").ok
    pushed.git("commit", "--quiet", "--amend", "--message", "Otherwise")
    assert pushed.push("--force", "HEAD:refs/heads/release/1").ok
    assert "protected branches cannot be deleted" in pushed.push("--delete", "release/1").text
    assert "protected tags cannot be changed" in pushed.push("--force", "HEAD:refs/tags/v1").text
    assert "protected tags cannot be changed" in pushed.push("--delete", "refs/tags/v1").text
    assert "not allowed to push to this protected branch" in pushed.push("HEAD:refs/heads/frozen").text
    mine = clone(tmp_path / "mine", hosted.url_of(Role.DEVELOPER))
    assert "not allowed to push" in mine.push("HEAD:refs/heads/release/2").text
    assert "not allowed to create this protected tag" in mine.push("HEAD:refs/tags/v2").text
    assert mine.push("HEAD:refs/tags/nightly").ok
    mine.commit({"b": "1"})
    assert "only maintainers may change existing tags" in mine.push("--force", "HEAD:refs/tags/nightly").text


def test_the_first_branch_pushed_becomes_the_default_one_and_is_protected(hosted: Hosted, checkout: Checkout) -> None:
    checkout.git("branch", "--move", "trunk")
    assert checkout.push("trunk").ok
    hosted.core.session.rollback()
    assert hosted.project.default_branch == "trunk"
    assert hosted.pipelines()[0].ref == "trunk"
    rules = {rule.pattern for rule in hosted.core.session.scalars(select(ProtectedRef))}
    assert "trunk" in rules
    assert checkout.git("ls-remote", "--symref", "origin", "HEAD").startswith("ref: refs/heads/trunk")
    checkout.git("checkout", "--quiet", "-b", "second")
    assert checkout.push("second").ok
    hosted.core.session.rollback()
    assert hosted.project.default_branch == "trunk"


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_pushes_at_once_all_get_their_pipelines(
    hosted: Hosted, pushed: Checkout, checkout_of: Callable[[str], Checkout]
) -> None:
    others = [checkout_of(hosted.owner_url) for _ in range(4)]
    results = {}

    def push(number: int) -> None:
        results[number] = others[number].push(f"HEAD:refs/heads/topic{number}")

    threads = [threading.Thread(target=push, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [results[number].ok for number in range(4)] == [True] * 4, results
    made = hosted.pipelines()
    assert sorted(found.ref for found in made) == ["main", "topic0", "topic1", "topic2", "topic3"]
    assert sorted(found.iid for found in made) == [1, 2, 3, 4, 5]


def test_of_two_pushes_to_one_branch_the_second_is_told_to_fetch(
    hosted: Hosted, pushed: Checkout, tmp_path: Path
) -> None:
    other = clone(tmp_path / "other", hosted.owner_url)
    pushed.commit({"a": "1"})
    other.commit({"b": "1"})
    assert pushed.push("main").ok
    result = other.push("main")
    assert not result.ok
    assert "fetch first" in result.text
    assert len(hosted.pipelines()) == 2


def test_a_large_push_arrives_in_chunks(hosted: Hosted, checkout: Checkout, tmp_path: Path) -> None:
    noise = os.urandom(6 * 1024 * 1024)
    checkout.commit({"noise": noise}, "Large")
    result = checkout.push("main")
    assert result.ok, result.text
    copy = clone(tmp_path / "copy", hosted.owner_url)
    assert (copy.folder / "noise").read_bytes() == noise


@pytest.mark.parametrize("settings", [{"push_limit": 1024 * 1024}])
def test_a_push_beyond_the_limit_is_refused_and_moves_nothing(hosted: Hosted, checkout: Checkout) -> None:
    noise = os.urandom(3 * 1024 * 1024)
    checkout.commit({"noise": noise}, "Large")
    for options in (["-c", "http.postBuffer=1000000"], ["-c", "http.postBuffer=100000000"]):
        result = checkout.try_git(*options, "push", "origin", "main")
        assert not result.ok
        assert hosted.ref("refs/heads/main") is None
    assert hosted.pipelines() == []
    assert all(push.finished_at for push in hosted.core.session.scalars(select(Push)))


def test_a_shallow_clone_can_push(hosted: Hosted, pushed: Checkout, tmp_path: Path) -> None:
    for number in range(3):
        pushed.commit({"a": str(number)})
    assert pushed.push("main").ok
    shallow = clone(tmp_path / "shallow", hosted.owner_url, "--depth=1")
    head = shallow.commit({"b": "1"})
    assert shallow.push("main").ok
    assert hosted.ref("refs/heads/main") == head


def test_objects_that_git_itself_calls_broken_are_refused(hosted: Hosted, checkout: Checkout) -> None:
    tree = checkout.git("rev-parse", "HEAD^{tree}")
    broken = checkout.folder / "broken"
    broken.write_text(f"tree {tree}\nauthor Nobody\n\nNo committer\n")
    object_id = checkout.git("hash-object", "-t", "commit", "-w", "--literally", str(broken))
    result = checkout.push(f"{object_id}:refs/heads/broken")
    assert not result.ok
    assert "remote rejected" in result.text
    assert hosted.ref("refs/heads/broken") is None
