"""The list of files of a job's archive, of which nothing is unpacked."""

import struct
import zipfile

from app.domain.errors import InvalidRequest
from app.models import Artifact
from app.services.artifacts.read_artifact import BoundedReads, open_archive
from app.services.core import Core


def archive_members(core: Core, archive: Artifact) -> list[zipfile.ZipInfo]:
    """What is in `archive`. Raises InvalidRequest for one that is damaged, too large to list, or no zip file."""
    if archive.file_format != "zip":
        raise InvalidRequest("only zip archives can be looked into")
    with open_archive(core, archive) as file:
        try:
            with zipfile.ZipFile(BoundedReads(file)) as opened:
                return opened.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise InvalidRequest("the archive is damaged: it is no zip file") from error


def inside(folder: str) -> str:
    """What the names of all that lies in `folder` begin with; "" for the top."""
    return folder.strip("/") + "/" if folder.strip("/") else ""
