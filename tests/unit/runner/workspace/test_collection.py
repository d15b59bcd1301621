"""Packing and unpacking trees that a job may have prepared against us."""

import gzip
import os
import stat
import subprocess
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.workspace import archive
from runner.workspace.base import Packed, Selection, WorkspaceError
from runner.workspace.local import LocalWorkspace, LocalWorkspaces, file_name
from runner.workspace.tree import remove_own

SECRET = "root:x:0:0"


class Output(bytearray):
    def __call__(self, data: bytes) -> None:
        self.extend(data)


@pytest.fixture
def output() -> Output:
    return Output()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[LocalWorkspace]:
    workspaces = LocalWorkspaces(tmp_path / "root", tmp_path / "caches")
    made = workspaces.create(7, 1, "group/project", 0)
    yield made
    made.remove()
    workspaces.close()


@pytest.fixture
def pack(workspace: LocalWorkspace, output: Output) -> Callable[..., Packed | None]:
    def packed(*paths: str, **fields: object) -> Packed | None:
        return workspace.pack(Selection(paths=paths, **fields), output)  # type: ignore[arg-type]

    return packed


def fill(tree: Path, *names: str) -> None:
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)


def names(packed: Packed | None) -> list[str]:
    assert packed is not None
    with zipfile.ZipFile(packed.path) as file:
        return file.namelist()


def test_a_folder_is_packed_with_all_that_is_in_it(
    workspace: LocalWorkspace, output: Output, pack: Callable[..., Packed | None]
) -> None:
    fill(workspace.path, "out/a", "out/b/c", "other")
    packed = pack("out")
    assert names(packed) == ["out/", "out/a", "out/b/", "out/b/c"]
    assert packed is not None
    assert (packed.filename, packed.count, packed.size) == ("artifacts.zip", 4, packed.path.stat().st_size)
    assert output == b"out: found 4 matching files and directories\n"


def test_a_dot_is_the_whole_tree(workspace: LocalWorkspace, pack: Callable[..., Packed | None]) -> None:
    fill(workspace.path, "a", "b/c")
    assert {"a", "b/c"} <= {name.rstrip("/") for name in names(pack("."))}


def test_exclude_is_by_file_and_not_recursive(workspace: LocalWorkspace, pack: Callable[..., Packed | None]) -> None:
    fill(workspace.path, "out/a.o", "out/a.c", "out/tmp/b")
    assert names(pack("out", exclude=("**/*.o",))) == ["out/", "out/a.c", "out/tmp/", "out/tmp/b"]
    assert names(pack("out", exclude=("out/tmp",))) == ["out/", "out/a.c", "out/a.o", "out/tmp/b"]
    assert names(pack("out", exclude=("out/tmp/**/*", "**/*.?"))) == ["out/", "out/tmp/"]


def test_nothing_found_is_said_and_is_no_failure(output: Output, pack: Callable[..., Packed | None]) -> None:
    assert pack("dist/*.whl") is None
    assert output.decode().splitlines() == [
        "WARNING: dist/*.whl: no matching files. Ensure that the artifact path is relative to the working directory",
        "ERROR: No files to upload",
    ]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd"])
def test_a_path_out_of_the_tree_is_refused(path: str, output: Output, pack: Callable[..., Packed | None]) -> None:
    assert pack(path) is None
    assert f"artifact path is not a subpath of project directory: {path}" in output.decode()


def test_links_are_packed_as_links_and_never_followed(
    workspace: LocalWorkspace, pack: Callable[..., Packed | None]
) -> None:
    (workspace.path / "passwd").symlink_to("/etc/passwd")
    (workspace.path / "etc").symlink_to("/etc")
    packed = pack("*", "etc/passwd", "**/passwd")
    assert names(packed) == ["etc", "passwd"]
    assert packed is not None
    with zipfile.ZipFile(packed.path) as file:
        assert file.read("passwd") == b"/etc/passwd"
        assert stat.S_ISLNK(file.getinfo("passwd").external_attr >> 16)
        assert SECRET.encode() not in packed.path.read_bytes()


def test_pipes_and_sockets_are_left_out(
    workspace: LocalWorkspace, output: Output, pack: Callable[..., Packed | None]
) -> None:
    os.mkfifo(workspace.path / "pipe")
    fill(workspace.path, "file")
    assert names(pack("*")) == ["file"]
    assert "pipe: is neither a file" in output.decode()


def test_names_that_are_no_utf8_are_packed(workspace: LocalWorkspace, pack: Callable[..., Packed | None]) -> None:
    Path(os.fsdecode(bytes(workspace.path) + b"/a\xff")).write_text("x")
    assert names(pack("*")) == ["a\ufffd"]


def test_a_very_deep_tree_does_not_break_packing(workspace: LocalWorkspace, pack: Callable[..., Packed | None]) -> None:
    folder = os.open(workspace.path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    try:
        packed = pack("**")
        assert packed is not None
        assert packed.count > 100
    finally:
        # pytest removes old temporary folders by recursion: a later run would crash on this one.
        subprocess.run(["rm", "-rf", workspace.path / "d"], check=True)


def test_an_archive_comes_back_as_it_was(
    workspace: LocalWorkspace, output: Output, pack: Callable[..., Packed | None], tmp_path: Path
) -> None:
    fill(workspace.path, "out/run", "out/empty/file")
    (workspace.path / "out/run").chmod(0o755)
    os.utime(workspace.path / "out/run", (1_700_000_001, 1_700_000_001))
    (workspace.path / "out/link").symlink_to("run")
    packed = pack("out")
    assert packed is not None
    other = LocalWorkspaces(tmp_path / "root", tmp_path / "caches").create(8, 1, "group/project", 0)
    other.unpack(packed.path, output)
    run = other.path / "out/run"
    assert run.read_text() == "out/run"
    assert stat.S_IMODE(run.stat().st_mode) == 0o755
    assert run.stat().st_mtime == 1_700_000_001
    assert (other.path / "out/link").readlink() == Path("run")


def test_gzip_is_one_member_for_each_file(workspace: LocalWorkspace, pack: Callable[..., Packed | None]) -> None:
    fill(workspace.path, "a.xml", "b.xml")
    packed = pack("*.xml", file_format="gzip", name="junit.xml")
    assert packed is not None
    assert packed.filename == "junit.xml.gz"
    assert gzip.decompress(packed.path.read_bytes()) == b"a.xmlb.xml"


def test_raw_is_one_file_as_it_is(workspace: LocalWorkspace, pack: Callable[..., Packed | None]) -> None:
    fill(workspace.path, "a.env", "b.env")
    packed = pack("a.env", file_format="raw", name="x.env")
    assert packed is not None
    assert (packed.filename, packed.path.read_text()) == ("x.env", "a.env")
    with pytest.raises(WorkspaceError, match="only one file"):
        pack("*.env", file_format="raw")


def hostile(path: Path, *members: tuple[str, bytes, int]) -> Path:
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of doubled names, which are the point
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            file.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../evil", "/tmp/skerry-evil", "a/../../evil", "a/b/../../../evil"])
def test_a_member_that_leads_out_is_not_unpacked(
    name: str, workspace: LocalWorkspace, output: Output, tmp_path: Path
) -> None:
    made = hostile(tmp_path / "x.zip", (name, b"evil", 0o644), ("good", b"good", 0o644))
    workspace.unpack(made, output)
    assert [entry.name for entry in workspace.path.rglob("*") if entry.is_file()] == ["good"]
    assert not (workspace.path.parent / "evil").exists()
    assert not Path("/tmp/skerry-evil").exists()
    assert "is not unpacked" in output.decode()


def test_nothing_is_written_through_a_link(workspace: LocalWorkspace, output: Output, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    made = hostile(
        tmp_path / "x.zip",
        ("link", bytes(outside), stat.S_IFLNK | 0o777),
        ("link/file", b"evil", 0o644),
        ("direct", bytes(outside / "file"), stat.S_IFLNK | 0o777),
        ("direct", b"evil", 0o644),
    )
    workspace.unpack(made, output)
    assert (outside / "file").read_text() == "untouched"
    assert sorted(entry.name for entry in outside.iterdir()) == ["file"]
    assert (workspace.path / "direct").read_text() == "evil"


def test_a_link_laid_in_the_tree_before_is_not_followed(
    workspace: LocalWorkspace, output: Output, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (workspace.path / "out").symlink_to(tmp_path / "outside")
    workspace.unpack(hostile(tmp_path / "x.zip", ("out/file", b"evil", 0o644)), output)
    assert not list((tmp_path / "outside").iterdir())


def test_set_uid_does_not_come_back(workspace: LocalWorkspace, output: Output, tmp_path: Path) -> None:
    workspace.unpack(hostile(tmp_path / "x.zip", ("tool", b"x", stat.S_IFREG | 0o6755)), output)
    assert stat.S_IMODE((workspace.path / "tool").stat().st_mode) == 0o755


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100, b"\x1f\x8b\x08"])
def test_what_is_no_zip_is_an_error_with_a_message(
    content: bytes, workspace: LocalWorkspace, output: Output, tmp_path: Path
) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(WorkspaceError, match="cannot be unpacked"):
        workspace.unpack(tmp_path / "x.zip", output)


def test_an_archive_may_not_unpack_to_more_than_the_limits(tmp_path: Path) -> None:
    made = hostile(tmp_path / "x.zip", ("a", b"x" * 100, 0o644), ("b", b"x" * 100, 0o644))
    root = os.open(tmp_path, os.O_RDONLY)
    for limits in (archive.Limits(size=150), archive.Limits(members=1)):
        with pytest.raises(archive.ArchiveError, match="more than"):
            archive.unpack(made, root, lambda _: None, limits)
    os.close(root)
    assert not (tmp_path / "a").exists()


def test_read_file_follows_no_link(workspace: LocalWorkspace) -> None:
    fill(workspace.path, "build.env", "folder/x")
    (workspace.path / "link").symlink_to("/etc/passwd")
    (workspace.path / "etc").symlink_to("/etc")
    assert workspace.read_file("build.env", 5) == b"build"
    for name in ("link", "etc/passwd", "folder", "absent", "../private", "/etc/passwd"):
        assert workspace.read_file(name, 10) is None


def test_open_file_gives_regular_files_alone_and_follows_no_link(workspace: LocalWorkspace) -> None:
    fill(workspace.path, "build.env", "folder/x")
    (workspace.path / "link").symlink_to("/etc/passwd")
    (workspace.path / "etc").symlink_to("/etc")
    file = workspace.open_file("build.env")
    assert file
    with file:
        assert file.read() == (workspace.path / "build.env").read_bytes()
    for folder in ("folder", "folder/", "."):
        assert workspace.open_file(folder) is None
    for name in ("link", "etc", "etc/passwd", "absent", "../private", "/etc/passwd", "folder/../build.env"):
        with pytest.raises(WorkspaceError):
            workspace.open_file(name)


@pytest.mark.parametrize(
    ("wish", "name"),
    [("a/b", "a_b"), ("..", "default"), ("", "default"), (".", "default"), ("x\n", "x_"), ("ü" * 300, "ü" * 200)],
)
def test_an_artifact_has_a_plain_file_name(wish: str, name: str) -> None:
    assert file_name(wish) == name


def test_removal_frees_the_name_at_once_and_follows_no_link(tmp_path: Path) -> None:
    workspaces = LocalWorkspaces(tmp_path / "root", tmp_path / "caches")
    workspace = workspaces.create(7, 1, "group/project", 0)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    (workspace.path / "link").symlink_to(tmp_path / "kept")
    workspace.remove()
    assert not workspace.path.exists()
    workspaces.close()
    assert not list((tmp_path / "root" / "trash").iterdir())
    assert (tmp_path / "kept" / "file").exists()


def test_a_small_tree_is_removed_without_the_helper_and_a_large_one_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for name, files, gone in (("small", 6, True), ("large", 9, False)):
        below = tmp_path / name / "a" / "b"
        below.mkdir(parents=True)
        (below / "link").symlink_to(tmp_path / "kept")
        for number in range(files):
            (below / f"file {number}").touch()
        assert remove_own(tmp_path / name, 10) is gone
        assert (tmp_path / name).exists() is not gone
    (tmp_path / "leads away").symlink_to(tmp_path / "kept")
    assert not remove_own(tmp_path / "leads away", 10)
    assert (tmp_path / "kept").exists()


def test_orphans_are_removed_at_start(tmp_path: Path) -> None:
    LocalWorkspaces(tmp_path / "root", tmp_path / "caches").create(7, 1, "group/project", 0)
    again = LocalWorkspaces(tmp_path / "root", tmp_path / "caches")
    again.remove_orphans()
    again.close()
    assert not list((tmp_path / "root" / "jobs").iterdir())
    assert not list((tmp_path / "root" / "trash").iterdir())
