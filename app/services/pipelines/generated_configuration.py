"""Files of a child pipeline's configuration that jobs of its parent made (gitlab.md C.9)."""

import zipfile
import zlib

from sqlalchemy import select

from app.domain.errors import InvalidConfiguration, InvalidRequest, NotFound
from app.domain.plan import GeneratedFile
from app.domain.variables import expand
from app.models import Artifact, Job
from app.services.artifacts.read_artifact import live_archive, open_member
from app.services.core import Core
from app.services.pipelines.prepare_pipeline import CONFIG_LIMIT


def read_generated(core: Core, job: Job, files: tuple[GeneratedFile, ...], values: dict[str, str]) -> dict[str, str]:
    """The texts of `files` by name, out of archives of the pipeline of `job`; `values` are its variables.

    Raises InvalidConfiguration, which says what is missing.
    """
    return {file.name: _text(core, job, expand(file.job, values), expand(file.path, values)) for file in files}


def _text(core: Core, job: Job, name: str, path: str) -> str:
    source = core.session.scalar(
        select(Job).where(Job.pipeline_id == job.pipeline_id, Job.name == name, Job.retried.is_(False))
    )
    archive = live_archive(core, source) if source is not None else None
    if archive is None:
        raise InvalidConfiguration(f"Job `{name}` not found in parent pipeline or does not have artifacts!")
    content = _content(core, archive, path.lstrip("/"))
    if content is None:
        raise InvalidConfiguration(f"Artifact file `{path}` of job `{name}` does not exist or cannot be read!")
    if len(content) > CONFIG_LIMIT:
        raise InvalidConfiguration(f"Artifact file `{path}` of job `{name}` is larger than {CONFIG_LIMIT} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidConfiguration(f"Artifact file `{path}` of job `{name}` is not UTF-8 text") from None


def _content(core: Core, archive: Artifact, path: str) -> bytes | None:
    """The file's bytes, no more than just above the limit: what the archive says of its size is not believed."""
    try:
        member = open_member(core, archive, path)
        content = b""
        for piece in member:
            content += piece
            if len(content) > CONFIG_LIMIT:
                break
    except (NotFound, InvalidRequest, zipfile.BadZipFile, zlib.error, EOFError, OSError):
        return None
    return content
