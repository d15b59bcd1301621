"""Take an uploaded file over as an artifact of its job: the bytes are there, now the row."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update

from app.domain import status
from app.domain.errors import AlreadyExists, InvalidRequest
from app.models import Artifact, Job, write
from app.services.core import Core
from app.services.reports.read_report import ReadReport, keep_report, read_report
from app.services.runners.job_authority import renew_lease, running_job
from app.storage.base import Stored

FILE_TYPES = frozenset(
    (
        *("archive", "metadata", "trace", "junit", "dotenv", "cobertura", "jacoco", "terraform", "annotations", "lsif"),
        *("sast", "dast", "secret_detection", "dependency_scanning", "container_scanning", "cluster_image_scanning"),
        *("coverage_fuzzing", "api_fuzzing", "license_scanning", "cyclonedx", "repository_xray"),
        *("codequality", "accessibility", "performance", "browser_performance", "load_performance"),
        *("metrics", "metrics_referee", "network_referee", "cluster_applications", "requirements", "requirements_v2"),
    )
)
FILE_FORMATS = frozenset({"zip", "raw", "gzip", "zipzstd", "tarzstd"})


@dataclass(frozen=True, slots=True)
class Upload:
    """What the runner says of a file. `expire_in` in seconds, 0: never, None: the instance's default."""

    filename: str = ""
    file_type: str = "archive"
    file_format: str = "zip"
    expire_in: int | None = None

    def check(self) -> None:
        """Raises InvalidRequest."""
        if self.file_type not in FILE_TYPES:
            raise InvalidRequest("artifact_type does not have a valid value", "artifact_type")
        if self.file_format not in FILE_FORMATS:
            raise InvalidRequest("artifact_format does not have a valid value", "artifact_format")


def begin_upload(core: Core, job_id: int, token: str) -> None:
    """Make sure that the job may upload now, before its bytes are taken. Raises NotProcessing."""
    with write(core.session):
        renew_lease(core, running_job(core, job_id, token, hold="alone"))


def keep_lease(core: Core, job_id: int) -> None:
    """The upload of a job goes on: its lease too."""
    with write(core.session):
        core.session.execute(
            update(Job)
            .where(Job.id == job_id, Job.status.in_(status.EXECUTING))
            .values(lease_expires_at=core.now() + timedelta(seconds=core.config.lease))
            .execution_options(synchronize_session=False)
        )


def store_artifact(core: Core, job_id: int, token: str, upload: Upload, stored: Stored) -> None:
    """Make the stored bytes an artifact of the job. The same file again is fine; then, and when this fails, the bytes
    are removed.

    A report is read before its job is held. Raises NotProcessing, AlreadyExists (another file of that type),
    InvalidReport.
    """
    try:
        report = read_report(core, upload.file_type, upload.file_format, stored.key)
        added = _add(core, job_id, token, upload, stored, report)
    except BaseException:
        core.artifacts.remove(stored.key)
        raise
    if not added:
        core.artifacts.remove(stored.key)


def _add(core: Core, job_id: int, token: str, upload: Upload, stored: Stored, report: ReadReport | None) -> bool:
    with write(core.session):
        job = running_job(core, job_id, token, hold="alone")
        renew_lease(core, job)
        for known in job.artifacts:
            if known.file_type == upload.file_type:
                if known.sha256 == stored.sha256:
                    return False
                raise AlreadyExists("another artifact of the same type already exists", "file_type")
        now = core.now()
        seconds = core.config.artifact_expiry if upload.expire_in is None else upload.expire_in
        expire_at = now + timedelta(seconds=seconds) if seconds else None
        core.session.add(
            Artifact(
                job_id=job.id,
                project_id=job.project_id,
                file_type=upload.file_type,
                file_format=upload.file_format,
                filename=upload.filename or "artifacts.zip",
                size=stored.size,
                sha256=stored.sha256,
                storage_key=stored.key,
                created_at=now,
                expire_at=expire_at,
            )
        )
        job.artifacts_expire_at = expire_at
        if report is not None:
            keep_report(core, job, report)
        return True
