"""What the page of a pipeline shows beside its jobs: earlier tries, statuses from outside, and when any of it moves."""

from collections.abc import Collection
from zlib import crc32

from sqlalchemy import select

from app.models import CommitStatus, Job, Pipeline, PipelineLink
from app.services.core import Core
from app.services.pipelines.show_pipeline import pipeline_version


def reported_statuses(core: Core, pipeline: Pipeline) -> list[CommitStatus]:
    """What other systems say of the pipeline's commit now, by name."""
    query = select(CommitStatus).where(CommitStatus.pipeline_id == pipeline.id, CommitStatus.retried.is_(False))
    return list(core.session.scalars(query.order_by(CommitStatus.name, CommitStatus.id)))


def tries_of(core: Core, pipeline: Pipeline, names: Collection[str]) -> dict[str, list[Job]]:
    """All tries of the jobs of these names, by name, the oldest first."""
    found: dict[str, list[Job]] = {name: [] for name in names}
    if found:
        query = select(Job).where(Job.pipeline_id == pipeline.id, Job.retried.is_(True)).order_by(Job.id)
        latest = select(Job).where(Job.pipeline_id == pipeline.id, Job.retried.is_(False))
        for job in (*core.session.scalars(query), *core.session.scalars(latest)):
            if job.name in found:
                found[job.name].append(job)
    return found


def graph_version(core: Core, pipeline_id: int) -> str | None:
    """As `pipeline_version`, and it differs also when a status from outside or a downstream pipeline has moved."""
    own = pipeline_version(core, pipeline_id)
    if own is None:
        return None
    reported = select(CommitStatus.id, CommitStatus.status, CommitStatus.description).where(
        CommitStatus.pipeline_id == pipeline_id
    )
    started = (
        select(Pipeline.id, Pipeline.status)
        .join(PipelineLink, PipelineLink.pipeline_id == Pipeline.id)
        .where(PipelineLink.source_pipeline_id == pipeline_id)
    )
    rows = [
        tuple(row)
        for query in (reported.order_by(CommitStatus.id), started.order_by(Pipeline.id))
        for row in core.session.execute(query)
    ]
    return f"{own}-{crc32(repr(rows).encode('utf-8', 'replace')):08x}" if rows else own
