"""Look into a job's archive: what lies in one of its folders. `read_artifact` reads single files of it."""

import struct
import zipfile
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from app.domain.errors import InvalidRequest, NotFound
from app.models import Artifact
from app.services.artifacts.read_artifact import BoundedReads, open_archive
from app.services.core import Core

#: How many characters the paths of folders may have together where all are listed: names can be very deep.
LONGEST_TREE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder (`is_folder`, no size) or file in the folder looked at. `path` is its full name in the archive.

    `mode` as git has it: 0o100644, 0o100755 for what can be run, 0o040755 for folders.
    """

    name: str
    path: str
    is_folder: bool
    size: int = 0
    mode: int = 0o040755


def list_folder(core: Core, archive: Artifact, folder: str) -> list[Entry]:
    """What lies in `folder` ("" for the top) of the archive, folders first.

    Raises NotFound for a folder that is not there, InvalidRequest for an archive that is damaged or too large to list.
    """
    prefix = _prefix(folder)
    found = _entries(_members(core, archive), prefix)
    if not found and prefix:
        raise NotFound("Folder")
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))


def list_tree(core: Core, archive: Artifact, folder: str, recursive: bool) -> list[Entry]:
    """What lies in `folder`, and when `recursive` in the folders there too, by path. Raises as `list_folder`."""
    if not recursive:
        return list_folder(core, archive, folder)
    members, prefix, found, room = _members(core, archive), _prefix(folder), dict[str, Entry](), LONGEST_TREE
    for member in members:
        inside = member.filename[len(prefix) :] if member.filename.startswith(prefix) else ""
        *folders, last = inside.rstrip("/").split("/") if inside.strip("/") else [""]
        for path in _new_folders(prefix, folders, found):
            found[path] = Entry(path.rpartition("/")[2], path, is_folder=True)
            room -= len(path)
            if room < 0:
                raise InvalidRequest("the archive holds too many folders to list them all")
        if last:
            path = prefix + "/".join([*folders, last])
            found.setdefault(path, _entry(member, last, path, is_folder=member.is_dir()))
    if not found and prefix:
        raise NotFound("Folder")
    return [found[path] for path in sorted(found)]


def _new_folders(prefix: str, folders: list[str], known: Container[str]) -> Iterator[str]:
    """The paths of `folders`, each in the one before it, that are not `known`; the deepest first."""
    for depth in range(len(folders), 0, -1):
        path = prefix + "/".join(folders[:depth])
        if path in known:
            return
        yield path


def _prefix(folder: str) -> str:
    return folder.strip("/") + "/" if folder.strip("/") else ""


def _members(core: Core, archive: Artifact) -> list[zipfile.ZipInfo]:
    if archive.file_format != "zip":
        raise InvalidRequest("only zip archives can be looked into")
    with open_archive(core, archive) as file:
        try:
            with zipfile.ZipFile(BoundedReads(file)) as opened:
                return opened.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise InvalidRequest("the archive is damaged: it is no zip file") from error


def _entry(member: zipfile.ZipInfo, name: str, path: str, is_folder: bool) -> Entry:
    if is_folder:
        return Entry(name, path, is_folder=True)
    runs = (member.external_attr >> 16) & 0o100
    return Entry(name, path, is_folder=False, size=member.file_size, mode=0o100755 if runs else 0o100644)


def _entries(members: Iterable[zipfile.ZipInfo], prefix: str) -> list[Entry]:
    """The first level below `prefix`. A name that is a file and a folder at once is shown as what came first."""
    found: dict[str, Entry] = {}
    for member in members:
        name, slash, _ = member.filename[len(prefix) :].partition("/")
        if name and member.filename.startswith(prefix):
            found.setdefault(name, _entry(member, name, prefix + name, is_folder=bool(slash)))
    return list(found.values())
