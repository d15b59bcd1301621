"""A job with `pages` has passed: a folder of its archive is the project's web site from now on."""

from datetime import timedelta

from sqlalchemy import select

from app.domain import plan_json
from app.domain.delivery import PagesSpec
from app.models import Artifact, Job, PagesSite, write
from app.services.artifacts.read_artifact import live_archive
from app.services.core import Core

BATCH = 100


def publish_site(core: Core, job: Job) -> None:
    """*In a write*, with `job` held: serve the site that its plan names, if there is one, in place of the one before.

    While an archive is served it does not expire. A job that uploaded no archive changes nothing.
    """
    found, archive = job.plan.get("pages"), live_archive(core, job)
    if found is None or archive is None or archive.file_format != "zip":
        return
    spec, now = plan_json.from_json(PagesSpec, found), core.now()
    before = core.session.scalar(
        select(PagesSite).where(PagesSite.project_id == job.project_id, PagesSite.path_prefix == spec.path_prefix)
    )
    if before is not None:
        _release(before)
        core.session.delete(before)
        core.session.flush()
    core.session.add(
        PagesSite(
            project_id=job.project_id,
            path_prefix=spec.path_prefix,
            artifact_id=archive.id,
            root=spec.publish,
            artifact_expire_at=archive.expire_at,
            expire_at=now + timedelta(seconds=spec.expire_in) if spec.expire_in else None,
            created_at=now,
        )
    )
    archive.expire_at = job.artifacts_expire_at = None


def end_expired_sites(core: Core) -> int:
    """Stop serving the sites whose time is over; return how many. For the background's loop."""
    due = select(PagesSite.id).where(PagesSite.expire_at <= core.now()).limit(BATCH)
    ids = core.session.scalars(due).all()
    for site_id in ids:
        with write(core.session):
            site = core.session.get(PagesSite, site_id)
            if site is not None:
                _release(site)
                core.session.delete(site)
    return len(ids)


def _release(site: PagesSite) -> None:
    """The archive may expire again when it would have."""
    artifact: Artifact = site.artifact
    artifact.expire_at = site.artifact_expire_at
    artifact.job.artifacts_expire_at = site.artifact_expire_at
