"""What the helper does with the files that a job has left: pack, unpack, read and remove them.

The rules are those of gitlab.md A.6. Nobody else writes to the tree meanwhile: the job's processes are dead by then.
"""

import base64
import gzip
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from runner.workspace.archive import ArchiveError, Limits, ZipWriter
from runner.workspace.archive import unpack as unpack_zip
from runner.workspace.globs import Glob, GlobError
from runner.workspace.tree import Entry, Finder, is_folder, open_regular, opened

Emit = Callable[[bytes], None]
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
PIECE = 1 << 20


def pack(arguments: dict[str, Any], emit: Emit) -> tuple[Any, Sequence[int]]:
    """Pack what is found below `root` into the new file `target`; returns its number of members, 0 when nothing was
    found.

    `paths` and `exclude` are globs; `untracked` adds every file that is not named in the file `tracked` (NUL between
    names; "" means that nothing is tracked). `file_format`: zip, gzip (one member a file, one after the other) or
    raw (one file).
    """
    with opened(arguments["root"]) as root:
        finder = Finder(root, compiled(arguments["exclude"], emit))
        found: dict[str, Entry] = {}
        for pattern in arguments["paths"]:
            found |= {entry.path: entry for entry in search(finder, pattern, emit)}
        if arguments["untracked"]:
            files = [entry for entry in untracked(finder, arguments["tracked"]) if not entry.is_folder]
            emit(f"untracked: found {len(files)} files\n".encode())
            found |= {entry.path: entry for entry in files}
        entries = [found[path] for path in sorted(found) if packable(found[path], emit)]
        if not entries:
            return 0, ()
        writer = {"zip": write_zip, "gzip": write_gzip, "raw": write_raw}[arguments["file_format"]]
        return writer(root, entries, arguments["target"], emit), ()


def compiled(patterns: Sequence[str], emit: Emit) -> list[Glob]:
    """The patterns that can be used; the others are named in a warning."""
    globs = []
    for pattern in patterns:
        try:
            globs.append(Glob(pattern))
        except GlobError as error:
            emit(f"WARNING: the pattern {pattern} is not used: {error}\n".encode("utf-8", "surrogateescape"))
    return globs


def search(finder: Finder, pattern: str, emit: Emit) -> list[Entry]:
    """What one of `paths` finds, and the line that says so."""

    def say(text: str) -> None:
        emit(f"{text}\n".encode("utf-8", "surrogateescape"))

    try:
        entries = list(finder.find(Glob(pattern)))
    except GlobError:
        say(f"WARNING: processPath: artifact path is not a subpath of project directory: {pattern}")
        return []
    if entries:
        say(f"{pattern}: found {len(entries)} matching files and directories")
    else:
        say(
            f"WARNING: {pattern}: no matching files. Ensure that the artifact path is relative to the working directory"
        )
    return entries


def untracked(finder: Finder, tracked: str) -> Iterator[Entry]:
    """Every file that git did not put there. A submodule's folder counts as tracked, with all that is in it."""
    names = set(os.fsdecode(Path(tracked).read_bytes()).split("\0")) if tracked else set()
    hidden = ""
    for entry in finder.find(Glob("**")):
        if hidden and entry.path.startswith(hidden):
            continue
        if entry.is_folder and (entry.path in names or entry.path.rpartition("/")[2] == ".git"):
            hidden = entry.path + "/"
        elif entry.path not in names:
            yield entry


def packable(entry: Entry, emit: Emit) -> bool:
    """Whether an archive can hold it: no sockets, pipes or devices."""
    if entry.is_file or entry.is_folder or entry.is_link:
        return True
    emit(f"WARNING: {entry.path}: is neither a file, a folder nor a link, and is left out\n".encode("utf-8", "replace"))
    return False


def write_zip(root: int, entries: Sequence[Entry], target: str, emit: Emit) -> int:
    writer = ZipWriter(target, root)
    count = 0
    try:
        for entry in entries:
            try:
                writer.add(entry)
                count += 1
            except OSError as error:
                emit(f"WARNING: {entry.path}: cannot be packed: {error.strerror}\n".encode("utf-8", "replace"))
    finally:
        writer.close()
    return count


def write_gzip(root: int, entries: Sequence[Entry], target: str, _emit: Emit) -> int:
    """Each file a gzip member of its own, with its name in the header."""
    files = [entry for entry in entries if entry.is_file]
    with open(target, "xb") as output:  # noqa: PTH123 - the mode x, in one line
        for entry in files:
            name = entry.path.encode("latin-1", "replace").decode("latin-1")
            with (
                os.fdopen(open_regular(root, entry.path), "rb") as source,
                gzip.GzipFile(name, "wb", 6, output, entry.status.st_mtime) as member,
            ):
                shutil.copyfileobj(source, member, PIECE)
    return len(files)


def write_raw(root: int, entries: Sequence[Entry], target: str, _emit: Emit) -> int:
    """The one file as it is. Raises ValueError for several."""
    files = [entry for entry in entries if entry.is_file]
    if len(files) > 1:
        raise ValueError(f"only one file can be sent raw, but {len(files)} were found")
    with open(target, "xb") as output:  # noqa: PTH123 - the mode x, in one line
        for entry in files:
            with os.fdopen(open_regular(root, entry.path), "rb") as source:
                shutil.copyfileobj(source, output, PIECE)
    return len(files)


def unpack(arguments: dict[str, Any], emit: Emit) -> tuple[Any, Sequence[int]]:
    """Unpack the zip file `archive` into the tree at `root`; returns the number of members written. Raises
    ValueError.
    """
    archive = arguments["archive"]
    with Path(archive).open("rb") as file:
        if not file.read(4).startswith(ZIP_MAGICS):
            raise ArchiveError("the archive is no zip file")
    with opened(arguments["root"]) as root:
        return unpack_zip(archive, root, emit, Limits(**arguments.get("limits", {}))), ()


def read_file(arguments: dict[str, Any], _emit: Emit) -> tuple[Any, Sequence[int]]:
    """The first `limit` bytes of the regular file `path` below `root`, in base64; None where there is none."""
    try:
        with (
            opened(arguments["root"]) as root,
            os.fdopen(open_regular(root, arguments["path"]), "rb") as file,
        ):
            return base64.b64encode(file.read(arguments["limit"])).decode(), ()
    except (OSError, ValueError):
        return None, ()


def open_file(arguments: dict[str, Any], _emit: Emit) -> tuple[Any, Sequence[int]]:
    """ "file" and a descriptor of the regular file `path` below `root`; "folder" where it is one. Raises OSError for
    anything else, ValueError for a path that leads out.
    """
    with opened(arguments["root"]) as root:
        if is_folder(root, arguments["path"]):
            return "folder", ()
        return "file", (open_regular(root, arguments["path"]),)


def remove(arguments: dict[str, Any], _emit: Emit) -> tuple[Any, Sequence[int]]:
    """Remove the trees at `paths`. `rm` works by descriptor, follows no link, and minds no depth."""
    command = ["rm", "-rf", "--one-file-system", "--", *arguments["paths"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(done.stderr.strip().splitlines()[-1])
    return None, ()
