"""Look into a job's archive: what lies in one of its folders. `read_artifact` reads single files of it."""

import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.errors import InvalidRequest, NotFound
from app.models import Artifact
from app.services.artifacts.read_artifact import BoundedReads, open_archive
from app.services.core import Core


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder (`is_folder`, no size) or file in the folder looked at. `path` is its full name in the archive."""

    name: str
    path: str
    is_folder: bool
    size: int = 0


def list_folder(core: Core, archive: Artifact, folder: str) -> list[Entry]:
    """What lies in `folder` ("" for the top) of the archive, folders first.

    Raises NotFound for a folder that is not there, InvalidRequest for an archive that is damaged or too large to list.
    """
    if archive.file_format != "zip":
        raise InvalidRequest("only zip archives can be looked into")
    with open_archive(core, archive) as file:
        try:
            with zipfile.ZipFile(BoundedReads(file)) as opened:
                members = opened.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise InvalidRequest("the archive is damaged: it is no zip file") from error
    prefix = folder.strip("/") + "/" if folder.strip("/") else ""
    found = _entries(members, prefix)
    if not found and prefix:
        raise NotFound("Folder")
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))


def _entries(members: Iterable[zipfile.ZipInfo], prefix: str) -> list[Entry]:
    """The first level below `prefix`. A name that is a file and a folder at once is shown as what came first."""
    found: dict[str, Entry] = {}
    for member in members:
        name, slash, _ = member.filename[len(prefix) :].partition("/")
        if name and member.filename.startswith(prefix):
            size = 0 if slash else member.file_size
            found.setdefault(name, Entry(name, prefix + name, is_folder=bool(slash), size=size))
    return list(found.values())
