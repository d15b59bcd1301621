"""Look into a job's archive: read its directory, read one member. Nothing is ever unpacked."""

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from app.domain.errors import InvalidRequest, LimitExceeded, NotFound
from app.models import Artifact
from app.services.core import Core

#: The directory of a zip is read into memory, so its size is looked at before: some 100,000 files fit.
MAX_DIRECTORY = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 65_535


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder (`is_folder`, no size) or file in the folder looked at. `path` is its full name in the archive."""

    name: str
    path: str
    is_folder: bool
    size: int = 0


def list_folder(core: Core, artifact: Artifact, folder: str) -> list[Entry]:
    """What lies in `folder` ("" for the top) of the archive, folders first. Raises NotFound, InvalidRequest, LimitExceeded."""
    prefix = folder.strip("/") + "/" if folder.strip("/") else ""
    found: dict[str, Entry] = {}
    with open_archive(core, artifact) as archive:
        for info in archive.infolist():
            if not info.filename.startswith(prefix) or info.filename == prefix:
                continue
            name, slash, _ = info.filename[len(prefix) :].partition("/")
            entry = Entry(name, prefix + name, bool(slash), 0 if slash else info.file_size)
            found.setdefault(name, entry)
    if not found and prefix:
        raise NotFound("Folder")
    return sorted(found.values(), key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))


@contextmanager
def open_archive(core: Core, artifact: Artifact) -> Iterator[zipfile.ZipFile]:
    """The archive, for reading. Raises NotFound when its bytes are gone, InvalidRequest when it is no zip, LimitExceeded."""
    if artifact.file_format != "zip":
        raise InvalidRequest("only zip archives can be looked into")
    try:
        file = core.artifacts.open(artifact.storage_key)
    except FileNotFoundError:
        raise NotFound("Artifact") from None
    with file:
        size = directory_size(file)
        if size is None or size > MAX_DIRECTORY:
            raise LimitExceeded("the archive holds too many files to be listed here; download it", MAX_DIRECTORY)
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise InvalidRequest("the archive is damaged: it is no zip file") from error
        with archive:
            yield archive


def read_member(core: Core, artifact: Artifact, path: str) -> tuple[int, Iterator[bytes]]:
    """(size, content in pieces) of the file `path` in the archive. Raises as `open_archive`, NotFound for no such file."""
    with open_archive(core, artifact) as archive:
        try:
            info = archive.getinfo(path)
        except KeyError:
            raise NotFound("File") from None
        if info.is_dir() or info.flag_bits & 0x1:
            raise NotFound("File")
    return info.file_size, _member_pieces(core, artifact, info)


def _member_pieces(core: Core, artifact: Artifact, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content, never more than the archive's directory promises."""
    left = info.file_size
    with (
        core.artifacts.open(artifact.storage_key) as file,
        zipfile.ZipFile(file) as archive,
        archive.open(info) as member,
    ):
        while left > 0 and (data := member.read(min(_CHUNK, left))):
            left -= len(data)
            yield data


def directory_size(file: BinaryIO) -> int | None:
    """Bytes of the zip's central directory as its end record says, None when there is no such record."""
    file.seek(0, 2)
    size = file.tell()
    tail_at = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(tail_at)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        return 0  # no zip at all: zipfile says so itself
    found = int(_END.unpack_from(tail, at)[5])
    if found != 0xFFFFFFFF:
        return found
    locator_at = at - _END_64_LOCATOR.size
    if locator_at < 0 or tail[locator_at : locator_at + 4] != b"PK\x06\x07":
        return None
    file.seek(min(int(_END_64_LOCATOR.unpack_from(tail, locator_at)[2]), size))
    record = file.read(_END_64.size)
    return int(_END_64.unpack(record)[8]) if len(record) == _END_64.size and record[:4] == b"PK\x06\x06" else None
