"""Sources: what is checked out, what it costs, and what a repository cannot make the host do."""

import hashlib
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.workspace.base import Selection, SourcesError
from runner.workspace.local import LocalWorkspace, LocalWorkspaces
from runner.workspace.object_cache import REPOSITORY
from tests.unit.runner.workspace.upstream import PASSWORD, GitServer, Upstream, git, make_upstream

NEVER = threading.Event()
Serve = Callable[..., GitServer]


class Output(bytearray):
    def __call__(self, data: bytes) -> None:
        self.extend(data)


@pytest.fixture
def output() -> Output:
    return Output()


def borrowing(workspace: LocalWorkspace) -> dict[str, str]:
    """What makes git on the host see the objects that the container sees at its mount."""
    cache = next(iter(workspace.read_only_mounts))
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(cache / REPOSITORY / "objects")}


def log(workspace: LocalWorkspace, *arguments: str) -> list[str]:
    alternates = workspace.path / ".git/objects/info/alternates"
    kept = alternates.read_text()
    alternates.unlink()
    try:
        return git(workspace.path, "log", "--format=%H", *arguments, **borrowing(workspace)).splitlines()
    finally:
        alternates.write_text(kept)


def test_the_commit_is_checked_out_and_said(upstream: Upstream, workspace: LocalWorkspace, output: Output) -> None:
    sha = upstream.commit({"a": "1", "bin/run": "2"})
    workspace.get_sources(upstream.sources(sha), output, NEVER)
    assert (workspace.path / "bin/run").read_text() == "2"
    assert output.decode() == (
        f"Fetching changes with git depth set to 20...\nChecking out {sha[:8]} as detached HEAD (ref is main)...\n"
    )
    assert log(workspace) == [sha]
    assert git(workspace.path, "for-each-ref", "--format=%(refname)") == "refs/remotes/origin/main"


def test_the_tree_borrows_from_where_the_container_sees_the_cache(
    upstream: Upstream, workspace: LocalWorkspace, output: Output
) -> None:
    workspace.get_sources(upstream.sources(upstream.commit({"a": "1"})), output, NEVER)
    ((_, mounted),) = workspace.read_only_mounts.items()
    alternates = (workspace.path / ".git/objects/info/alternates").read_text()
    assert alternates == f"{mounted}/{REPOSITORY}/objects\n"
    assert not list((workspace.path / ".git/objects").rglob("*.pack"))


@pytest.mark.parametrize(("depth", "expected"), [(1, 1), (3, 3), (20, 6), (0, 6)])
def test_history_is_as_deep_as_asked(
    depth: int, expected: int, upstream: Upstream, workspace: LocalWorkspace, output: Output
) -> None:
    shas = [upstream.commit({"a": str(number)}) for number in range(6)]
    workspace.get_sources(upstream.sources(shas[-1], depth=depth), output, NEVER)
    assert log(workspace) == shas[::-1][:expected]


def test_depths_of_jobs_that_share_a_cache_do_not_mix(
    upstream: Upstream, workspaces: LocalWorkspaces, output: Output
) -> None:
    shas = [upstream.commit({"a": str(number)}) for number in range(8)]
    for number, depth in enumerate((2, 5, 0, 3), 1):
        workspace = workspaces.create(number, 1, "g/p", 0)
        workspace.get_sources(upstream.sources(shas[-1], depth=depth), output, NEVER)
        assert log(workspace) == shas[::-1][: depth or 8]
    older = workspaces.create(9, 1, "g/p", 0)
    older.get_sources(upstream.sources(shas[3], depth=2), output, NEVER)
    assert log(older) == shas[3:1:-1]


def test_merges_are_cut_by_distance(upstream: Upstream, workspace: LocalWorkspace, output: Output) -> None:
    upstream.commit({"a": "1"})
    git(upstream.tree, "branch", "side")
    main = upstream.commit({"a": "2"})
    git(upstream.tree, "checkout", "-q", "side")
    side = upstream.commit({"b": "1"}, "side")
    git(upstream.tree, "checkout", "-q", "main")
    git(upstream.tree, "merge", "-q", "-m", "merge", "side")
    merge = upstream.commit({})
    git(upstream.tree, "push", "-q", str(upstream.bare), "HEAD:refs/heads/main")
    workspace.get_sources(upstream.sources(merge, depth=3), output, NEVER)
    assert set(log(workspace)) == {merge, git(upstream.tree, "rev-parse", "HEAD~1"), main, side}


def test_a_branch_that_replaces_a_folder_of_branches_is_fetched(
    upstream: Upstream, workspaces: LocalWorkspaces, output: Output
) -> None:
    first = upstream.commit({"a": "1"}, "topic")
    workspaces.create(1, 1, "g/p", 0).get_sources(upstream.sources(first, branch="topic"), output, NEVER)
    git(upstream.bare, "update-ref", "-d", "refs/heads/topic")
    second = upstream.commit({"a": "2"}, "topic/sub")
    again = workspaces.create(2, 1, "g/p", 0)
    again.get_sources(upstream.sources(second, branch="topic/sub"), output, NEVER)
    assert (again.path / "a").read_text() == "2"


def test_a_hostile_branch_name_is_only_a_name(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, tmp_path: Path
) -> None:
    name = "$(touch${IFS}x);--upload-pack=y"
    sha = upstream.commit({"a": "1"}, name)
    workspace.get_sources(upstream.sources(sha, branch=name), output, NEVER)
    assert f"(ref is {name})" in output.decode()
    assert git(workspace.path, "for-each-ref", "--format=%(refname)") == f"refs/remotes/origin/{name}"
    assert not list(tmp_path.rglob("x"))


@pytest.mark.parametrize(
    "refspec", ["--upload-pack=touch x", "refs/heads/a", "+refs/heads/a:../b", "HEAD:x", "refs/heads/a b:refs/c", ""]
)
def test_what_is_no_refspec_is_refused(
    refspec: str, upstream: Upstream, workspace: LocalWorkspace, output: Output
) -> None:
    sha = upstream.commit({"a": "1"})
    with pytest.raises(SourcesError, match="no refspec"):
        workspace.get_sources(upstream.sources(sha, refspecs=(refspec,)), output, NEVER)


@pytest.mark.parametrize(
    "url", ["ssh://host/x", "ext::sh -c id", "-x", "/etc", "http://user:pass@host/x", "http://h/a b"]
)
def test_what_is_no_plain_url_is_refused(
    url: str, upstream: Upstream, workspace: LocalWorkspace, output: Output
) -> None:
    with pytest.raises(SourcesError):
        workspace.get_sources(upstream.sources("0" * 40, url), output, NEVER)


def test_files_are_refused_outside_tests(upstream: Upstream, tmp_path: Path, output: Output) -> None:
    workspace = LocalWorkspaces(tmp_path / "r2", tmp_path / "c2").create(1, 1, "g/p", 0)
    with pytest.raises(SourcesError, match="'file' not allowed"):
        workspace.get_sources(upstream.sources(upstream.commit({"a": "1"})), output, NEVER)


def test_a_commit_that_its_branch_has_left_is_fetched_by_name(
    upstream: Upstream, workspace: LocalWorkspace, output: Output
) -> None:
    left = upstream.commit({"a": "1"})
    git(upstream.tree, "commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
    upstream.commit({"a": "2"})
    workspace.get_sources(upstream.sources(left, depth=1), output, NEVER)
    assert (workspace.path / "a").read_text() == "1"


def test_a_commit_that_is_not_there_is_an_error(upstream: Upstream, workspace: LocalWorkspace, output: Output) -> None:
    upstream.commit({"a": "1"})
    with pytest.raises(SourcesError):
        workspace.get_sources(upstream.sources("1" * 40), output, NEVER)


@pytest.mark.parametrize("damage", ["pack", "head", "everything"])
def test_a_broken_cache_is_made_anew(
    damage: str, upstream: Upstream, workspaces: LocalWorkspaces, output: Output, tmp_path: Path
) -> None:
    workspaces.create(1, 1, "g/p", 0).get_sources(upstream.sources(upstream.commit({"a": "1"})), output, NEVER)
    bare = tmp_path / "caches/1/git" / REPOSITORY
    if damage == "head":
        (bare / "HEAD").write_bytes(b"\0\0\0")
    elif damage == "everything":
        (bare / "HEAD").unlink()
    else:
        for file in (bare / "objects").rglob("*"):
            if file.is_file():
                file.chmod(0o600)
                file.write_bytes(b"garbage")
    sha = upstream.commit({"a": "2"})
    workspace = workspaces.create(2, 1, "g/p", 0)
    workspace.get_sources(upstream.sources(sha), output, NEVER)
    assert (workspace.path / "a").read_text() == "2"


def test_none_and_empty_fetch_nothing(upstream: Upstream, workspaces: LocalWorkspaces, output: Output) -> None:
    for strategy in ("none", "empty"):
        workspace = workspaces.create(1, 1, "g/p", 0)
        workspace.get_sources(upstream.sources("0" * 40, "http://127.0.0.1:1/x", strategy=strategy), output, NEVER)
        assert not list(workspace.path.iterdir())


def test_without_a_checkout_there_is_history_alone(
    upstream: Upstream, workspace: LocalWorkspace, output: Output
) -> None:
    sha = upstream.commit({"a": "1"})
    workspace.get_sources(upstream.sources(sha, checkout=False), output, NEVER)
    assert [entry.name for entry in workspace.path.iterdir()] == [".git"]
    assert log(workspace) == [sha]


def test_a_second_try_begins_with_an_empty_tree(upstream: Upstream, workspace: LocalWorkspace, output: Output) -> None:
    sha = upstream.commit({"a": "1"})
    for _ in range(2):
        (workspace.path / "left").write_text("over")
        workspace.get_sources(upstream.sources(sha), output, NEVER)
        assert sorted(entry.name for entry in workspace.path.iterdir()) == [".git", "a"]


def test_untracked_is_what_git_did_not_put_there(upstream: Upstream, workspace: LocalWorkspace, output: Output) -> None:
    sha = upstream.commit({"a": "1", ".gitignore": "*.o\n", "src/b": "2"})
    workspace.get_sources(upstream.sources(sha), output, NEVER)
    for name in ("a", "new", "src/c.o"):
        (workspace.path / name).write_text("changed")
    (workspace.path / ".git/index").write_bytes(b"the job's own index, to be trusted by nobody")
    packed = workspace.pack(Selection(untracked=True), output)
    assert packed is not None
    with zipfile.ZipFile(packed.path) as file:
        assert file.namelist() == ["new", "src/c.o"]
    assert "untracked: found 2 files" in output.decode()


def test_the_password_is_sent_but_never_shown_or_kept(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, serve: Serve, tmp_path: Path
) -> None:
    sha = upstream.commit({"a": "1"})
    server = serve(upstream.bare.parent)
    workspace.get_sources(upstream.sources(sha, f"{server.url}/bare.git"), output, NEVER)
    assert (workspace.path / "a").read_text() == "1"
    assert all(header.startswith("Basic ") for _, header in server.seen)
    assert PASSWORD not in output.decode()
    for folder in ("root", "caches"):
        for file in (tmp_path / folder).rglob("*"):
            assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()


def test_a_wrong_password_is_an_error_that_does_not_show_it(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, serve: Serve
) -> None:
    sha = upstream.commit({"a": "1"})
    url = f"{serve(upstream.bare.parent).url}/bare.git"
    with pytest.raises(SourcesError, match=r"Authentication failed|could not read Username") as caught:
        workspace.get_sources(upstream.sources(sha, url, password="glcbt-wrong"), output, NEVER)
    assert "glcbt-wrong" not in f"{caught.value}{output.decode()}"


def test_submodules_get_the_credentials_of_the_same_host_alone(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, serve: Serve, tmp_path: Path
) -> None:
    server = serve(tmp_path)
    inner, outer = make_upstream(tmp_path / "inner"), make_upstream(tmp_path / "outer")
    inner.commit({"deep": "3"})
    git(outer.tree, "init", "-q")
    git(outer.tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.bare), "inner")
    git(outer.tree, "config", "-f", ".gitmodules", "submodule.inner.url", "../../inner/bare.git")
    outer.commit({"middle": "2"})
    git(upstream.tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(outer.bare), "lib/outer")
    git(upstream.tree, "config", "-f", ".gitmodules", "submodule.lib/outer.url", "../../outer/bare.git")
    sha = upstream.commit({"top": "1"})
    url = f"{server.url}/upstream/bare.git"
    workspace.get_sources(upstream.sources(sha, url, submodules="recursive"), output, NEVER)
    assert (workspace.path / "lib/outer/middle").read_text() == "2"
    assert (workspace.path / "lib/outer/inner/deep").read_text() == "3"
    assert all(header.startswith("Basic ") for _, header in server.seen)


def test_normal_submodules_are_one_level(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, serve: Serve, tmp_path: Path
) -> None:
    server = serve(tmp_path)
    other = make_upstream(tmp_path / "other")
    other.commit({"file": "2"})
    git(upstream.tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.bare), "lib")
    git(upstream.tree, "config", "-f", ".gitmodules", "submodule.lib.url", f"{server.url}/other/bare.git")
    sha = upstream.commit({})
    url = f"{server.url}/upstream/bare.git"
    workspace.get_sources(upstream.sources(sha, url, submodules="normal", submodule_depth=1), output, NEVER)
    assert (workspace.path / "lib/file").read_text() == "2"
    packed = workspace.pack(Selection(untracked=True), output)
    assert packed is None


def test_a_submodule_cannot_make_the_host_ask_its_own_loopback(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, serve: Serve, tmp_path: Path
) -> None:
    victim = serve(tmp_path, locked=False)
    server = serve(tmp_path)
    other = make_upstream(tmp_path / "other")
    other.commit({"file": "2"})
    git(upstream.tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.bare), "lib")
    git(upstream.tree, "config", "-f", ".gitmodules", "submodule.lib.url", f"{victim.url}/other/bare.git")
    sha = upstream.commit({})
    url = f"{server.url}/upstream/bare.git"
    with pytest.raises(SourcesError, match="points at the runner's own host"):
        workspace.get_sources(upstream.sources(sha, url, submodules="normal"), output, NEVER)
    assert not victim.seen


def test_filters_and_hooks_of_a_repository_do_not_run(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, tmp_path: Path
) -> None:
    sha = upstream.commit(
        {".gitattributes": "* filter=evil\n", ".git-hooks/post-checkout": f"touch {tmp_path}/ran", "a": "1"}
    )
    workspace.get_sources(upstream.sources(sha), output, NEVER)
    assert (workspace.path / "a").read_text() == "1"
    assert not (workspace.path / ".git/hooks").exists()
    assert not (tmp_path / "ran").exists()


def test_the_runners_own_git_settings_do_not_count(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.gitconfig").write_text('[url "http://127.0.0.1:1/"]\n\tinsteadOf = file://\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    workspace.get_sources(upstream.sources(upstream.commit({"a": "1"})), output, NEVER)
    assert (workspace.path / "a").read_text() == "1"


def test_a_cancel_ends_a_fetch_that_hangs(workspace: LocalWorkspace, upstream: Upstream, output: Output) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        cancelled = threading.Event()
        threading.Timer(0.3, cancelled.set).start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(SourcesError, match="cancelled"):
            workspace.get_sources(upstream.sources("0" * 40, url), output, cancelled)


def test_two_jobs_of_a_project_at_once(upstream: Upstream, workspaces: LocalWorkspaces) -> None:
    sha = upstream.commit({f"f{number}": "x" for number in range(50)})
    made = [workspaces.create(number, 1, "g/p", number) for number in range(1, 5)]
    failures: list[Exception] = []

    def work(workspace: LocalWorkspace) -> None:
        try:
            workspace.get_sources(upstream.sources(sha), lambda _: None, NEVER)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(workspace,)) for workspace in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert all((workspace.path / "f49").exists() for workspace in made)


def test_the_refs_of_old_jobs_are_forgotten(upstream: Upstream, workspaces: LocalWorkspaces, tmp_path: Path) -> None:
    sha = upstream.commit({"a": "1"})
    for number in range(1, 25):
        workspaces.create(number, 1, "g/p", 0).get_sources(upstream.sources(sha), lambda _: None, NEVER)
    workspaces.settle()
    listed = git(tmp_path / "caches/1/git" / REPOSITORY, "for-each-ref", "--format=%(refname)").splitlines()
    assert {name.split("/")[2] for name in listed} == {str(number) for number in range(5, 25)}


def test_permissions_let_the_owner_alone_in(upstream: Upstream, workspace: LocalWorkspace, tmp_path: Path) -> None:
    workspace.get_sources(upstream.sources(upstream.commit({"a": "1"})), lambda _: None, NEVER)
    assert (tmp_path / "root").stat().st_mode & 0o077 == 0
    assert (tmp_path / "caches").stat().st_mode & 0o077 == 0
    assert os.stat(workspace.path / "a").st_mode & 0o777 == 0o644  # noqa: PTH116


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_large_files_come_from_the_repositorys_own_server(
    upstream: Upstream, workspace: LocalWorkspace, output: Output, serve: Serve
) -> None:
    content = b"a large file\n"
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    other = serve(upstream.bare.parent, locked=False)
    sha = upstream.commit(
        {
            ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
            ".lfsconfig": f"[lfs]\n\turl = {other.url}/bare.git/info/lfs\n",
            "data.bin": pointer,
        }
    )
    server = serve(upstream.bare.parent)
    server.large[digest] = content
    workspace.get_sources(upstream.sources(sha, f"{server.url}/bare.git"), output, NEVER)
    assert (workspace.path / "data.bin").read_bytes() == content
    assert not other.seen
    assert PASSWORD.encode() not in b"".join(file.read_bytes() for file in workspace.path.rglob("*") if file.is_file())
    assert not (workspace.path / ".git/hooks").exists()
