"""The single files that a run left behind, by their last names."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath

from app.domain import plan_json
from app.domain.errors import InvalidRequest, NotFound
from app.domain.plan import ArtifactSpec, JobPlan
from app.models import Artifact, Job
from app.services.artifacts.read_artifact import BoundedReads, live_archive, open_archive
from app.services.core import Core

MOST_FILES = 1000


def archived_files(core: Core, jobs: Sequence[Job]) -> dict[str, tuple[Artifact, str]]:
    """Name → (archive, path in it), in the order of jobs and archives; of equal names the last counts."""
    found: dict[str, tuple[Artifact, str]] = {}
    for job in jobs:
        archive = live_archive(core, job)
        if archive is not None and archive.file_format == "zip":
            wanted = _wanted(plan_json.from_json(JobPlan, job.plan).artifacts)
            for path in _paths(core, archive):
                if wanted is None or path in wanted:
                    found[PurePosixPath(path).name] = (archive, path)
    return dict(list(found.items())[:MOST_FILES])


def _wanted(specs: Sequence[ArtifactSpec]) -> frozenset[str] | None:
    """The paths of an archive that names its files one by one; None: all that is in it.

    A folder that is named so is no file, though the archive holds what lies in it.
    """
    archives = [spec for spec in specs if spec.file_type == "archive"]
    if not archives or not all(spec.required for spec in archives):
        return None
    return frozenset(str(PurePosixPath(literal(path))) for spec in archives for path in spec.paths)


def literal(pattern: str) -> str:
    """The path that a pattern without any wildcard means: `\\\\x` and `[x]` stand for x itself."""
    text, place = "", 0
    while place < len(pattern):
        if pattern[place] == "\\" and place + 1 < len(pattern):
            text, place = text + pattern[place + 1], place + 2
        elif pattern[place] == "[" and pattern[place + 2 : place + 3] == "]":
            text, place = text + pattern[place + 1], place + 3
        else:
            text, place = text + pattern[place], place + 1
    return text


def _paths(core: Core, archive: Artifact) -> list[str]:
    try:
        with open_archive(core, archive) as file, zipfile.ZipFile(BoundedReads(file)) as opened:
            return [member.filename for member in opened.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, InvalidRequest, NotFound):
        return []
