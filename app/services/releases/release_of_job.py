"""What a job's `release` says once all variables are known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.domain import plan_json, releases
from app.domain.delivery import ReleaseLink, ReleaseSpec
from app.domain.errors import InvalidRequest, LimitExceeded, NotFound
from app.domain.plan import Variable
from app.models import Job
from app.services.artifacts.read_artifact import live_archive, open_member
from app.services.core import Core
from app.services.environments.job_environment import expanded

LONGEST_PATH = 255


def spec_of(job: Job, variables: Sequence[Variable]) -> ReleaseSpec | None:
    """The plan's `release` with all variables replaced; None where the job makes none."""
    found = job.plan.get("release")
    if found is None:
        return None
    spec = plan_json.from_json(ReleaseSpec, found)

    def full(text: str | None) -> str | None:
        return text if text is None or ("$" not in text and "%" not in text) else expanded(text, variables)

    return replace(
        spec,
        tag_name=full(spec.tag_name) or "",
        description=full(spec.description) or "",
        name=full(spec.name),
        tag_message=full(spec.tag_message),
        ref=full(spec.ref),
        released_at=full(spec.released_at),
        milestones=tuple(full(title) or "" for title in spec.milestones),
        links=tuple(_full_link(link, full) for link in spec.links),
    )


def _full_link(link: ReleaseLink, full) -> ReleaseLink:  # type: ignore[no-untyped-def]
    return replace(link, name=full(link.name) or "", url=full(link.url) or "", filepath=full(link.filepath))


def released_at(spec: ReleaseSpec) -> datetime | None:
    """The time that `spec` names. Raises InvalidRequest."""
    if not spec.released_at:
        return None
    try:
        at = datetime.fromisoformat(spec.released_at)
    except ValueError as error:
        raise InvalidRequest("released at must be a valid datetime (ISO 8601)", "released_at") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def description(core: Core, job: Job, spec: ReleaseSpec) -> str:
    """The notes: the text itself, or the content of the file that it names, in the job's archive or in its commit."""
    path = spec.description.strip().removeprefix("./")
    if "\n" in path or not path or len(path) > LONGEST_PATH:
        return spec.description
    found = _from_archive(core, job, path)
    if found is None:
        found = _from_commit(core, job, path)
    return spec.description if found is None else found.decode("utf-8", "replace").replace("\0", "\ufffd")


def _from_archive(core: Core, job: Job, path: str) -> bytes | None:
    archive = live_archive(core, job)
    if archive is None or archive.file_format != "zip":
        return None
    try:
        member = open_member(core, archive, path)
    except (NotFound, InvalidRequest):
        return None
    content = bytearray()
    try:
        for piece in member:
            content += piece
            if len(content) > releases.LONGEST_DESCRIPTION:
                raise LimitExceeded("the description's file is too long", releases.LONGEST_DESCRIPTION)
    finally:
        member.close()
    return bytes(content)


def _from_commit(core: Core, job: Job, path: str) -> bytes | None:
    try:
        repository = core.repositories.open(job.project_id)
        return repository.read_file(job.pipeline.sha, path, releases.LONGEST_DESCRIPTION)
    except NotFound:
        return None
