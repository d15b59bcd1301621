"""Look into a job's archive: what lies in one of its folders. `read_artifact` reads single files of it.

Only the archive's list of files is read, never its files.
"""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from app.domain.errors import NotFound
from app.models import Artifact
from app.services.artifacts.archive_members import archive_members, inside
from app.services.core import Core

#: How many files a search shows.
MOST_FOUND = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder (`is_folder`) or file in the folder looked at. `path` is its full name in the archive. The `size` of a
    folder is that of all `files` in it, as they are unpacked. Folders that hold nothing but one folder are one entry
    with it, whose name has slashes.
    """

    name: str
    path: str
    is_folder: bool
    size: int = 0
    files: int = 0


def list_folder(core: Core, archive: Artifact, folder: str) -> list[Entry]:
    """What lies in `folder` ("" for the top) of the archive, folders first.

    Raises NotFound for a folder that is not there, InvalidRequest for an archive that is damaged or too large to list.
    """
    prefix = inside(folder)
    found = _entries(archive_members(core, archive), prefix)
    if not found and prefix:
        raise NotFound("Folder")
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))


def find_files(core: Core, archive: Artifact, text: str) -> list[Entry]:
    """The first files of the whole archive whose path holds `text`, in any case, by their paths. Raises as
    `list_folder`.
    """
    wanted = text.casefold()
    paths = {member.filename: member for member in archive_members(core, archive) if not member.is_dir()}
    found = sorted(path for path in paths if wanted in path.casefold())[:MOST_FOUND]
    return [Entry(path, path, is_folder=False, size=paths[path].file_size) for path in found]


@dataclass(slots=True)
class _Folder:
    """What is known so far of a folder: `common`, the folders that all of its files have in common."""

    size: int = 0
    files: int = 0
    common: list[str] = field(default_factory=list)

    def add(self, folders: Sequence[str], size: int) -> None:
        """One file, which lies in `folders`."""
        if self.files:
            pairs = zip(self.common, folders, strict=False)
            self.common = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        else:
            self.common = list(folders)
        self.size += size
        self.files += 1


def _entries(members: Iterable[zipfile.ZipInfo], prefix: str) -> list[Entry]:
    """The first level below `prefix`. A name that is a file and a folder at once is shown as what came first."""
    found: dict[str, Entry | _Folder] = {}
    for member in members:
        if not member.filename.startswith(prefix):
            continue
        *folders, last = member.filename[len(prefix) :].split("/")
        name = folders[0] if folders else last
        if not name:
            continue
        if not folders:
            found.setdefault(name, Entry(name, prefix + name, is_folder=False, size=member.file_size))
        elif isinstance(known := found.setdefault(name, _Folder()), _Folder) and last:
            known.add(folders, member.file_size)
    return [_entry(name, one, prefix) for name, one in found.items()]


def _entry(name: str, found: Entry | _Folder, prefix: str) -> Entry:
    if isinstance(found, Entry):
        return found
    plain = all(part not in ("", ".", "..") for part in found.common)
    shown = "/".join(found.common) if found.common and plain else name
    return Entry(shown, prefix + shown, is_folder=True, size=found.size, files=found.files)
