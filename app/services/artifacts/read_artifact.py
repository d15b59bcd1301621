"""Read what jobs uploaded: whole archives, and single files out of them. Nothing is ever unpacked to disk.

An archive comes from a job, so nothing it says is believed: its list of files is bounded, names are only compared,
never used as paths, and a file's bytes are inflated in small pieces as they are sent.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.domain.errors import InvalidRequest, NotFound
from app.models import Artifact, Job
from app.services.artifacts.lone_entry import lone_entry
from app.services.core import Core

#: The largest list of files that is read (about 150,000 files). Larger archives can only be fetched whole.
MAX_DIRECTORY = 16 * 1024 * 1024
PIECE = 64 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def live_archive(core: Core, job: Job) -> Artifact | None:
    """The job's archive, unless there is none or it has expired."""
    return next((found for found in job.artifacts if found.file_type == "archive" and is_live(core, found)), None)


def is_live(core: Core, artifact: Artifact) -> bool:
    """Whether it has not expired."""
    return artifact.expire_at is None or artifact.expire_at > core.now()


def require_archive(core: Core, job: Job) -> Artifact:
    """As `live_archive`. Raises NotFound where there is none."""
    archive = live_archive(core, job)
    if archive is None:
        raise NotFound("")
    return archive


def open_archive(core: Core, archive: Artifact) -> BinaryIO:
    """The archive's bytes. Raises NotFound where they are gone (it was removed just now)."""
    try:
        return core.artifacts.open(archive.storage_key)
    except FileNotFoundError as error:
        raise NotFound("") from error


@dataclass(slots=True)
class Member:
    """One file of an archive, open to be read once. `size` is what the archive claims: a lie ends the reading early."""

    name: str
    size: int
    crc: int
    _archive: zipfile.ZipFile
    _info: zipfile.ZipInfo
    _file: BinaryIO

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in pieces. Raises BadZipFile or zlib.error in the middle when the archive is damaged."""
        with self._archive, self._file, self._archive.open(self._info) as member:
            while piece := member.read(PIECE):
                yield piece

    def close(self) -> None:
        self._archive.close()
        self._file.close()


def open_member(core: Core, archive: Artifact, path: str) -> Member:
    """The file at `path` in `archive`. Raises InvalidRequest for a path or archive that cannot be served, NotFound."""
    _check_path(path)
    file = open_archive(core, archive)
    try:
        return _find(file, path)
    except BaseException:
        file.close()
        raise


def _check_path(path: str) -> None:
    """A path that a job can have uploaded: relative, without detours."""
    segments = path.split("/")
    if any(segment in ("", ".", "..") for segment in segments) or "\0" in path or "\\" in path:
        raise InvalidRequest("that is no path of a file in an archive")


def _find(file: BinaryIO, path: str) -> Member:
    try:
        archive = zipfile.ZipFile(BoundedReads(lone_entry(file, path, MAX_DIRECTORY) or file))
        info = archive.getinfo(path)
        _check_readable(info)
        archive.open(info).close()  # compares the list of files with what stands before the file's own bytes
    except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise NotFound("") from error
    return Member(path, info.file_size, info.CRC, archive, info, file)


def _check_readable(info: zipfile.ZipInfo) -> None:
    """A plain file, packed in a way that unpacks in bounded memory. Symbolic links are not followed and not shown."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir() or kind not in (0, stat.S_IFREG):
        raise KeyError(info.filename)
    if info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
        raise InvalidRequest("the file is packed in a way that only a download of the whole archive can serve")


class BoundedReads(io.RawIOBase):
    """`file`, which is not read in pieces above MAX_DIRECTORY: `zipfile` reads the whole list of files at once."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise InvalidRequest("the archive holds too many files to open a single one")
        return self._file.read(2 * PIECE if size < 0 else size)  # without a size: an archive's end and its comment

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
