"""What is read out of a repository, and the refs that are kept in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest, LimitExceeded, NotFound, StorageFull
from app.git import command
from app.git.command import GitFailed
from app.git.objects import is_object_id, parse_commit
from app.git.repositories import Repositories
from app.git.repository import Repository
from tests.git_client import Checkout, new_checkout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repositories = Repositories(tmp_path / "repositories")
    repositories.adopt(repositories.prepare(), 7)
    return repositories.open(7)


@pytest.fixture
def checkout(repository: Repository, tmp_path: Path) -> Checkout:
    made = new_checkout(tmp_path / "checkout", str(repository.folder), {"a": "1", "folder/b": "2", "ümlaut\n": "3"})
    assert made.push("main").ok
    return made


def test_files_are_read_by_path_with_a_limit(repository: Repository, checkout: Checkout) -> None:
    head = checkout.git("rev-parse", "HEAD")
    assert repository.read_file(head, "folder/b", 1) == b"2"
    for path in ("", "folder", "c", "../a", "a\nb", "a\0", "--help", "folder/", "x" * 10_000):
        with pytest.raises(NotFound):
            repository.read_file(head, path, 100)
    with pytest.raises(LimitExceeded):
        repository.read_file(head, "folder/b", 0)
    for commit in ("main", "0" * 40, "--all", "HEAD", head[:8], "f" * 40):
        with pytest.raises(NotFound):
            repository.read_file(commit, "a", 100)


def test_the_last_commit_of_a_path(repository: Repository, checkout: Checkout) -> None:
    first = checkout.git("rev-parse", "HEAD")
    second = checkout.commit({"a": "changed", "folder/*": "a star"})
    assert checkout.push("main").ok
    found = {path: repository.last_commit(second, path) for path in ("a", "folder/b", "folder", "f*/b", "folder/*")}
    assert found == {"a": second, "folder/b": first, "folder": second, "f*/b": first, "folder/*": second}
    assert repository.last_commit(first, "/a") == first
    for path in ("c", "../a", "", "a\0", "--all", ":(top)a", "x" * 10_000):
        assert repository.last_commit(second, path) is None


def test_after_a_file_that_is_too_long_the_next_is_still_read(repository: Repository, checkout: Checkout) -> None:
    head = checkout.commit({"long": "x" * 3_000_000})
    assert checkout.push("main").ok
    with repository.objects() as objects:
        with pytest.raises(LimitExceeded):
            objects.read_file(head, "long", 1000)
        with pytest.raises(NotFound):
            objects.read_file(head, "folder", 1000)
        assert objects.read_file(head, "a", 10) == b"1"


def test_a_commit_is_shown_with_its_people_times_and_parents(repository: Repository, checkout: Checkout) -> None:
    parent = checkout.git("rev-parse", "HEAD")
    dates = {"GIT_AUTHOR_DATE": "1234567890 +0230", "GIT_COMMITTER_DATE": "1234567890 -0800"}
    message = "The title\n\nBody.\n\nChangelog: fixed\nChangelog: again\nReviewed-by: Bob <b@example.com>\n"
    checkout.git("commit", "--quiet", "--allow-empty", "--message", message, **dates)
    assert checkout.push("main").ok
    head = checkout.git("rev-parse", "HEAD")
    assert repository.commit(head) == {
        "id": head,
        "short_id": head[:8],
        "created_at": "2009-02-13T15:31:30.000-08:00",
        "parent_ids": [parent],
        "title": "The title",
        "message": message,
        "author_name": "Ada",
        "author_email": "ada@example.com",
        "authored_date": "2009-02-14T02:01:30.000+02:30",
        "committer_name": "Ada",
        "committer_email": "ada@example.com",
        "committed_date": "2009-02-13T15:31:30.000-08:00",
        "trailers": {"Changelog": "again", "Reviewed-by": "Bob <b@example.com>"},
        "extended_trailers": {"Changelog": ["fixed", "again"], "Reviewed-by": ["Bob <b@example.com>"]},
    }


@given(st.binary())
def test_no_commit_is_too_strange_to_be_shown(content: bytes) -> None:
    commit = parse_commit("a" * 40, content)
    commit["message"].encode()
    assert "\0" not in repr(commit).replace("\\x00", "\0")
    assert len(commit["title"]) <= 255


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"A <a@b> 99999999999999999999 +0000", ("A", "a@b", "1970-01-01T00:00:00.000+00:00")),
        (b"A <a@b> -1 +9999", ("A", "a@b", "1970-01-01T00:00:00.000+00:00")),
        (b"A <a@b>", ("A", "a@b", "1970-01-01T00:00:00.000+00:00")),
        (b"nobody", ("nobody", "", "1970-01-01T00:00:00.000+00:00")),
        (b"\xe9 <> 0 +0000", ("é", "", "1970-01-01T00:00:00.000+00:00")),
    ],
)
def test_a_strange_author_line_is_understood_as_far_as_it_goes(line: bytes, expected: tuple[str, str, str]) -> None:
    commit = parse_commit("a" * 40, b"tree x\nauthor " + line + b"\nencoding latin-1\n\nHi")
    assert (commit["author_name"], commit["author_email"], commit["authored_date"]) == expected


def test_branches_and_tags_are_found_by_short_and_full_names(repository: Repository, checkout: Checkout) -> None:
    checkout.git("tag", "--annotate", "--message", "One\n\nmore", "v1")
    checkout.git("branch", "both")
    checkout.git("tag", "both")
    assert checkout.push("v1", "refs/heads/both", "refs/tags/both").ok
    head = checkout.git("rev-parse", "HEAD")
    tag = repository.find("v1")[0]
    assert (tag.full_name, tag.commit, tag.is_tag, tag.target == head) == ("refs/tags/v1", head, True, False)
    assert [found.full_name for found in repository.find("both")] == ["refs/heads/both", "refs/tags/both"]
    assert [found.name for found in repository.find("refs/tags/both")] == ["both"]
    assert [found.name for found in repository.branches()] == ["both", "main"]
    assert [found.commit for found in repository.tags()] == [head, head]
    assert repository.tag_message("v1") == "One\n\nmore\n"
    assert repository.tag_message("both") == repository.tag_message("none") == ""
    for name in ("", "HEAD", head, "main~1", "main^{tree}", "main:a", "--all", "@", "ma\nin", "none", "main@{0}"):
        assert repository.find(name) == []


def test_files_and_changes_are_listed_whatever_they_are_called(repository: Repository, checkout: Checkout) -> None:
    old = checkout.git("rev-parse", "HEAD")
    checkout.git("mv", "a", "moved")
    new = checkout.commit({"folder/b": "other"})
    assert checkout.push("main").ok
    assert set(repository.list_files(new)) == {"moved", "folder/b", "ümlaut\n"}
    assert repository.list_files(new)["moved"] == checkout.git("hash-object", "moved")
    assert set(repository.changed_files(old, new)) == {"a", "moved", "folder/b"}
    assert repository.is_ancestor(old, new)
    assert not repository.is_ancestor(new, old)


def test_the_past_that_two_commits_share(repository: Repository, checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    one = checkout.commit({"one": "1"})
    checkout.git("checkout", "--quiet", "-b", "topic", base)
    other = checkout.commit({"other": "1"})
    checkout.git("checkout", "--quiet", "--orphan", "alone")
    alone = checkout.commit({"alone": "1"})
    checkout.git("push", "--quiet", str(repository.folder), "main", "topic", "alone")
    assert repository.merge_base(one, other) == base
    assert repository.merge_base(base, other) == base
    assert repository.merge_base(one, alone) is None


def test_a_kept_ref_keeps_its_commit_and_is_let_go(repository: Repository, checkout: Checkout) -> None:
    head = checkout.git("rev-parse", "HEAD")
    repository.keep_for_pipeline(5, head)
    repository.keep_for_pipeline(6, head)
    assert [found.full_name for found in repository.below("refs/pipelines/")] == [
        "refs/pipelines/5",
        "refs/pipelines/6",
    ]
    repository.drop_pipelines([5, 9])
    assert [found.full_name for found in repository.below("refs/pipelines/")] == ["refs/pipelines/6"]
    with pytest.raises(NotFound):
        repository.keep_for_pipeline(7, "main")


@pytest.mark.parametrize("branch", ["-x", "a..b", "HEAD", "", "a b", "x.lock"])
def test_only_a_branch_can_be_the_default_one(repository: Repository, branch: str) -> None:
    with pytest.raises(InvalidRequest):
        repository.set_head(branch)


def test_git_sees_nothing_of_the_servers_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_SECRET_KEY", "hidden")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("LD_PRELOAD", "/x.so")
    values = command.environment()
    assert not {"SKERRY_SECRET_KEY", "GIT_DIR", "LD_PRELOAD"} & values.keys()
    assert values["HOME"] == "/nonexistent"


def test_a_hook_left_in_the_repository_does_not_run(repository: Repository, checkout: Checkout, tmp_path: Path) -> None:
    hook = repository.folder / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    repository.keep_for_pipeline(1, checkout.git("rev-parse", "HEAD"))
    assert not (tmp_path / "ran").exists()


def test_a_call_has_a_time_limit_and_failures_say_no_paths(repository: Repository) -> None:
    with pytest.raises(GitFailed, match="longer than"):
        command.run(repository.folder, ["cat-file", "--batch"], timeout=0.0001)
    with pytest.raises(GitFailed) as failed:
        command.run(repository.folder, ["rev-parse", "--verify", "nothing"])
    assert str(repository.folder) not in str(failed.value)
    with pytest.raises(GitFailed):
        Repository(repository.folder / "gone").branches()


def test_a_full_disk_is_told_as_such() -> None:
    assert isinstance(command.failure(OSError(28, "No space left on device")), StorageFull)


def test_a_repository_is_removed_and_removing_it_again_is_fine(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path / "repositories")
    repositories.adopt(repositories.prepare(), 1)
    repositories.remove(1)
    repositories.remove(1)
    assert not repositories.open(1).exists


@pytest.mark.parametrize("text", ["", "0" * 40, "a" * 39, "A" * 40, "a" * 41, "--" + "a" * 38, "a" * 40 + "\n"])
def test_only_whole_ids_count_as_ids(text: str) -> None:
    assert not is_object_id(text)
    assert is_object_id("a" * 40)
    assert is_object_id("a" * 64)
