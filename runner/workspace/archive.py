"""Zip files of artifacts and caches: written from a tree, unpacked into one, links kept as links and never followed."""

import calendar
import os
import shutil
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from runner.workspace.tree import Entry, make_folder, open_regular, parent_of

PIECE = 1 << 20
LARGE = 1 << 31
LEVEL = 1
EPOCH = (1980, 1, 1, 0, 0, 0)
LAST = (2107, 12, 31, 23, 59, 58)
TIMESTAMP = 0x5455
LONGEST_LINK = 4096

Emit = Callable[[bytes], None]


class ArchiveError(ValueError):
    """The archive is damaged, or more than the limits allow."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to: members, and bytes in all."""

    members: int = 1_000_000
    size: int = 64 << 30


class ZipWriter:
    """Adds entries of the tree at descriptor `root`. Modes and times are kept; special files are not."""

    def __init__(self, file: "os.PathLike[str] | str", root: int) -> None:
        self._root = root
        self._zip = zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED, compresslevel=LEVEL, strict_timestamps=False)

    def add(self, entry: Entry) -> None:
        """Add one entry. Raises OSError when it cannot be read."""
        info = zipfile.ZipInfo(portable(entry.path), stamp(entry.status.st_mtime))
        info.create_system = 3
        info.external_attr = (entry.status.st_mode & 0o170777) << 16
        moment = max(-(1 << 31), min(int(entry.status.st_mtime), (1 << 31) - 1))
        info.extra = struct.pack("<HHBi", TIMESTAMP, 5, 1, moment)
        info.compress_type = zipfile.ZIP_DEFLATED
        if entry.is_folder:
            info.filename += "/"
            info.external_attr |= 0x10
            info.compress_type = zipfile.ZIP_STORED
            self._zip.writestr(info, b"")
        elif entry.is_link:
            with parent_of(self._root, entry.path) as (folder, name):
                self._zip.writestr(info, os.fsencode(os.readlink(name, dir_fd=folder)))
        else:
            self._add_file(info, entry)

    def close(self) -> None:
        self._zip.close()

    def _add_file(self, info: zipfile.ZipInfo, entry: Entry) -> None:
        with os.fdopen(open_regular(self._root, entry.path), "rb") as source:
            info.file_size = entry.status.st_size  # tells zipfile whether 64-bit sizes are needed
            with self._zip.open(info, "w", force_zip64=entry.status.st_size >= LARGE) as target:
                shutil.copyfileobj(source, target, PIECE)


def portable(path: str) -> str:
    """A name that can stand in a zip: bytes that are no UTF-8 become replacement characters."""
    return os.fsencode(path).decode("utf-8", "replace")


def stamp(moment: float) -> tuple[int, int, int, int, int, int]:
    """A zip's own date, which begins in 1980 and is in UTC here; the exact one is in the extra field."""
    year, month, day, hour, minute, second = time.gmtime(max(0, min(moment, 4_354_819_198)))[:6]
    return min(max((year, month, day, hour, minute, second), EPOCH), LAST)


def unpack(file: "os.PathLike[str] | str", root: int, emit: Emit, limits: Limits) -> int:
    """Unpack a zip file into the tree at descriptor `root`; returns how many members were written.

    A member that is absolute, has `..` in it, or would go through a link is left out with a warning. Raises
    ArchiveError.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            check(members, limits)
            return Unpacker(archive, root, emit, limits).write(members)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"the archive is damaged: {error}") from error


def check(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.members:
        raise ArchiveError(f"the archive has {len(members)} members, more than {limits.members}")
    if sum(member.file_size for member in members) > limits.size:
        raise ArchiveError(f"the archive unpacks to more than {limits.size} bytes")


class Unpacker:
    """Writes members; folders get their modes and times last, so that a read-only one can be filled."""

    def __init__(self, archive: zipfile.ZipFile, root: int, emit: Emit, limits: Limits) -> None:
        self._archive = archive
        self._root = root
        self._emit = emit
        self._left = limits.size
        self._folders: list[tuple[str, zipfile.ZipInfo]] = []

    def write(self, members: list[zipfile.ZipInfo]) -> int:
        written = sum(self._write(member) for member in members)
        for path, member in reversed(self._folders):
            with parent_of(self._root, path) as (folder, name):
                descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.fchmod(descriptor, mode_of(member, 0o755))
                os.utime(descriptor, (modified(member),) * 2)
                os.close(descriptor)
        return written

    def _write(self, member: zipfile.ZipInfo) -> bool:
        kind = stat.S_IFMT(member.external_attr >> 16)
        try:
            path = member.filename.rstrip("/")
            with parent_of(self._root, path, make=True) as (folder, name):
                if member.is_dir():
                    self._write_folder(folder, name, path, member)
                elif kind == stat.S_IFLNK:
                    self._write_link(folder, name, member)
                else:
                    self._write_file(folder, name, member)
        except ArchiveError:
            raise
        except (OSError, ValueError) as error:
            self._emit(f"WARNING: {member.filename!r} is not unpacked: {error}\n".encode("utf-8", "replace"))
            return False
        return True

    def _write_folder(self, folder: int, name: str, path: str, member: zipfile.ZipInfo) -> None:
        clear_way(folder, name, keep_folder=True)
        make_folder(folder, name)
        self._folders.append((path, member))

    def _write_link(self, folder: int, name: str, member: zipfile.ZipInfo) -> None:
        if member.file_size > LONGEST_LINK:
            raise ArchiveError(f"the link {member.filename!r} is too long")
        target = self._archive.read(member)
        clear_way(folder, name)
        os.symlink(target, os.fsencode(name), dir_fd=folder)

    def _write_file(self, folder: int, name: str, member: zipfile.ZipInfo) -> None:
        clear_way(folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as target, self._archive.open(member) as source:
            while piece := source.read(PIECE):
                self._left -= len(piece)
                if self._left < 0:
                    raise ArchiveError("the archive unpacks to more than it says")
                target.write(piece)
            target.flush()
            os.fchmod(target.fileno(), mode_of(member, 0o644))
            os.utime(target.fileno(), (modified(member),) * 2)


def clear_way(folder: int, name: str, keep_folder: bool = False) -> None:
    """Remove what lies at `name`, so that nothing is written through it. A folder stays, and is an error for a file."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=folder)
    elif not keep_folder:
        raise IsADirectoryError(f"{name} is a folder already")


def mode_of(member: zipfile.ZipInfo, otherwise: int) -> int:
    """The member's permissions without set-uid and the like; its owner can always read it, and enter a folder."""
    mode = (member.external_attr >> 16) & 0o777
    return (mode or otherwise) | (0o700 if member.is_dir() else 0o400)


def modified(member: zipfile.ZipInfo) -> float:
    """When the file was last changed: to the second where the archive has that, else the zip's own date as UTC."""
    extra = member.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == TIMESTAMP and length >= 5 and extra[4] & 1:
            return float(struct.unpack("<i", extra[5:9])[0])
        extra = extra[4 + length :]
    return float(calendar.timegm((*member.date_time, 0, 0, 0)))
