"""Workspaces that real jobs have touched: who owns the files, and what a hostile job can do to its successor and the
host.
"""

import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.executor.base import ImageRef, StageResult
from runner.executor.podman import PodmanExecutor
from runner.workspace.base import CacheRef, Selection
from runner.workspace.local import LocalWorkspace, LocalWorkspaces
from tests.integration.podman.conftest import Job
from tests.integration.podman.images import derived
from tests.unit.runner.workspace.upstream import Upstream, make_upstream

pytestmark = pytest.mark.podman
NEVER = threading.Event()
Start = Callable[..., Job]

HOSTILE = r"""
set -e
mkdir -p .git/hooks out
printf '#!/bin/sh\ntouch %s\n' "$TRAP" > .git/hooks/post-checkout
cp .git/hooks/post-checkout .git/hooks/fsmonitor
chmod 755 .git/hooks/*
git config core.fsmonitor "touch $TRAP"
git config core.hooksPath .git/hooks
git config filter.evil.smudge "touch $TRAP"
git config core.sshCommand "touch $TRAP"
echo '* filter=evil' > .gitattributes
mv src src.was
ln -s /etc src
ln -s "$TRAP" .git/index.lock
echo found > out/result
mkdir secret
echo hidden > secret/file
echo mine > out/private
chmod 0600 out/private secret/file
chown -R 1000:1000 out/private secret
chmod 0700 secret
mkdir locked && touch locked/file && chmod 000 locked/file locked
"""


@pytest.fixture(scope="module")
def user_image(base_image: str) -> str:
    return derived("user", "USER 1000")


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return make_upstream(tmp_path / "upstream")


@pytest.fixture
def workspaces(executor: PodmanExecutor, tmp_path: Path) -> Iterator[LocalWorkspaces]:
    settings = {"protocol.file.allow": "always"}
    made = LocalWorkspaces(tmp_path / "jobs", tmp_path / "caches", executor.helper, settings)
    yield made
    made.remove_orphans()
    made.close()
    assert not list((tmp_path / "jobs" / "trash").iterdir())


@pytest.fixture
def checked_out(
    start: Start, workspaces: LocalWorkspaces, upstream: Upstream
) -> Callable[..., tuple[Job, LocalWorkspace]]:
    """A job with the upstream's commit, prepared in the order of the daemon: container, then sources."""

    def make(**fields: object) -> tuple[Job, LocalWorkspace]:
        sha = upstream.commit({"src/main": "int main;", "README": "read me"})
        workspace = workspaces.create(len(list(workspaces.root.joinpath("jobs").iterdir())) + 1, 1, "g/p", 0)
        job = start(
            workspace=workspace.path,
            control=workspace.control,
            read_only_mounts=workspace.read_only_mounts,
            **fields,
        )
        workspace.get_sources(upstream.sources(sha), job.printed.extend, NEVER)
        return job, workspace

    return make


def members(workspace: LocalWorkspace, *paths: str, **fields: object) -> dict[str, bytes]:
    packed = workspace.pack(Selection(paths=paths, **fields), lambda _: None)  # type: ignore[arg-type]
    assert packed is not None
    with zipfile.ZipFile(packed.path) as file:
        return {name: file.read(name) for name in file.namelist() if not name.endswith("/")}


def test_git_works_in_the_container_on_borrowed_objects(checked_out: Callable[..., tuple[Job, LocalWorkspace]]) -> None:
    job, _ = checked_out()
    assert job.run("git status --porcelain && git log --format=%s && git fsck --connectivity-only") == StageResult(
        "exited", 0
    )
    assert "commit ['README', 'src/main']" in job.text


def test_the_object_cache_is_read_only_for_jobs(checked_out: Callable[..., tuple[Job, LocalWorkspace]]) -> None:
    job, _ = checked_out()
    job.run("touch /skerry/git/x || echo refused; rm -rf /skerry/git/bare.git; ls /skerry/git/bare.git/objects")
    assert "refused" in job.text
    assert "pack" in job.text


@pytest.mark.parametrize("image", ["root", "user"])
def test_an_image_of_any_user_can_write_its_tree(
    image: str, user_image: str, checked_out: Callable[..., tuple[Job, LocalWorkspace]]
) -> None:
    job, workspace = checked_out(image=ImageRef(user_image) if image == "user" else None)
    result = job.run(
        "id -u; git status --porcelain && echo x >> README && mkdir out && id -u > out/id && chmod 700 out"
    )
    assert result == StageResult("exited", 0), job.text
    expected = "1000" if image == "user" else "0"
    assert job.text.split()[0] == expected
    assert job.run('echo after >> out/id; echo "A=1" > ../project.tmp/env') == StageResult("exited", 0), job.text
    job.environment.stop()
    assert members(workspace, "out") == {"out/id": f"{expected}\nafter\n".encode()}
    assert workspace.read_file("out/id", 4) == expected.encode()[:4] or expected == "0"
    workspace.remove()
    assert not workspace.path.exists()


def test_what_a_hostile_job_leaves_harms_nobody(
    checked_out: Callable[..., tuple[Job, LocalWorkspace]], tmp_path: Path, workspaces: LocalWorkspaces
) -> None:
    trap = tmp_path / "trap"
    job, workspace = checked_out(environment={"TRAP": str(trap)})
    assert job.run(HOSTILE) == StageResult("exited", 0), job.text
    job.environment.stop()

    arrived = members(workspace, "out", "secret", "locked", "src", exclude=("src.was/**",))
    assert arrived["out/result"] == b"found\n"
    assert arrived["out/private"] == b"mine\n"
    assert arrived["secret/file"] == b"hidden\n"
    assert arrived["locked/file"] == b""
    assert arrived["src"] == b"/etc"
    untracked = members(workspace, untracked=True)
    assert "out/private" in untracked
    assert "README" not in untracked
    assert not [name for name in untracked if name.startswith(".git/")]
    workspace.save_cache(CacheRef("1", ("key",), ("secret/",)), job.printed.extend)
    assert b"Created cache" in job.printed
    workspace.remove()
    job.environment.close()

    following, next_workspace = checked_out(environment={"TRAP": str(trap)})
    assert next_workspace.restore_cache(CacheRef("1", ("key",)), following.printed.extend)
    assert following.run("test ! -e .git/hooks && git status --porcelain && cat src/main secret/file") == StageResult(
        "exited", 0
    ), following.text
    assert following.text == "?? secret/\nint main;hidden\n"
    assert not trap.exists()


def test_a_folder_swapped_for_a_link_leads_nowhere(
    checked_out: Callable[..., tuple[Job, LocalWorkspace]], tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_text("untouched")
    job, workspace = checked_out()
    job.run(f"rm -rf src && ln -s {tmp_path}/victim src && ln -s {tmp_path}/victim out")
    job.environment.stop()
    assert members(workspace, "src/*", "out/**", "*")["src"] == f"{tmp_path}/victim".encode()
    assert workspace.read_file("src/file", 100) is None
    workspace.remove()
    assert (tmp_path / "victim" / "file").read_text() == "untouched"
