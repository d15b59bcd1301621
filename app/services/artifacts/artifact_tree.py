"""The files of a job's archive as the tree that GitLab's API shows (gitlab.md B.3)."""

import zipfile
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from app.domain.errors import InvalidRequest, NotFound
from app.models import Artifact
from app.services.artifacts.archive_members import archive_members, inside
from app.services.core import Core

#: How many characters the paths of folders may have together where all are listed: names can be very deep.
LONGEST_TREE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A folder (`is_folder`, no size) or file. `path` is its full name in the archive.

    `mode` as git has it: 0o100644, 0o100755 for what can be run, 0o040755 for folders.
    """

    name: str
    path: str
    is_folder: bool
    size: int = 0
    mode: int = 0o040755


def list_tree(core: Core, archive: Artifact, folder: str, recursive: bool) -> list[TreeEntry]:
    """What lies in `folder` ("" for the top), folders first; when `recursive`, in the folders there too, by path.

    Raises NotFound for a folder that is not there, InvalidRequest for an archive that is damaged or too large to list.
    """
    members, prefix = archive_members(core, archive), inside(folder)
    found = _all(members, prefix) if recursive else _first_level(members, prefix)
    if not found and prefix:
        raise NotFound("Folder")
    return found


def _all(members: Iterable[zipfile.ZipInfo], prefix: str) -> list[TreeEntry]:
    found, room = dict[str, TreeEntry](), LONGEST_TREE
    for member in members:
        name = member.filename[len(prefix) :] if member.filename.startswith(prefix) else ""
        *folders, last = name.rstrip("/").split("/") if name.strip("/") else [""]
        for path in _new_folders(prefix, folders, found):
            found[path] = TreeEntry(path.rpartition("/")[2], path, is_folder=True)
            room -= len(path)
            if room < 0:
                raise InvalidRequest("the archive holds too many folders to list them all")
        if last:
            path = prefix + "/".join([*folders, last])
            found.setdefault(path, _entry(member, last, path, is_folder=member.is_dir()))
    return [found[path] for path in sorted(found)]


def _new_folders(prefix: str, folders: list[str], known: Container[str]) -> Iterator[str]:
    """The paths of `folders`, each in the one before it, that are not `known`; the deepest first."""
    for depth in range(len(folders), 0, -1):
        path = prefix + "/".join(folders[:depth])
        if path in known:
            return
        yield path


def _entry(member: zipfile.ZipInfo, name: str, path: str, is_folder: bool) -> TreeEntry:
    if is_folder:
        return TreeEntry(name, path, is_folder=True)
    runs = (member.external_attr >> 16) & 0o100
    return TreeEntry(name, path, is_folder=False, size=member.file_size, mode=0o100755 if runs else 0o100644)


def _first_level(members: Iterable[zipfile.ZipInfo], prefix: str) -> list[TreeEntry]:
    """The first level below `prefix`. A name that is a file and a folder at once is shown as what came first."""
    found: dict[str, TreeEntry] = {}
    for member in members:
        name, slash, _ = member.filename[len(prefix) :].partition("/")
        if name and member.filename.startswith(prefix):
            found.setdefault(name, _entry(member, name, prefix + name, is_folder=bool(slash)))
    return sorted(found.values(), key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))
