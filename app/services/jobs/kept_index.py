"""The index of a log, kept beside it while it grows, so that nobody waits for 100 MB to be read once more."""

import json
from dataclasses import asdict

from app.services.core import Core
from app.services.jobs.log_end import LoggedJob
from app.services.jobs.log_index import Block, LogIndex, Section, build_index
from app.services.jobs.read_trace import open_trace

#: What may be missing in the kept index, in bytes: a reader makes up for it within about ten milliseconds.
STEP = 8 << 20


def log_index(core: Core, job: LoggedJob) -> LogIndex:
    """The index of a job's log as far as it counts now."""
    with open_trace(core, job) as trace:
        kept = _kept(core, job.id, trace.size)
        if trace.size - kept.size < STEP:
            return build_index(trace, kept)
    return keep_index(core, job)


def keep_index(core: Core, job: LoggedJob) -> LogIndex:
    """Bring what is kept up to what counts now; cheap when called every STEP bytes. The index."""
    with core.traces.uncut(job.id), open_trace(core, job) as trace:
        index = build_index(trace, _kept(core, job.id, trace.size))
        core.traces.keep_index(job.id, _written(index))
    return index


def _kept(core: Core, job_id: int, counted: int) -> LogIndex:
    """What is kept, and nothing where that reaches beyond what counts now."""
    index = _read(core.traces.index(job_id)) if counted >= STEP else LogIndex()
    return index if index.size <= counted else LogIndex()


def _written(index: LogIndex) -> bytes:
    return json.dumps(
        {
            "size": index.size,
            "lines": index.lines,
            "blocks": index.blocks,
            "sections": [asdict(section) for section in index.sections],
        },
        separators=(",", ":"),
    ).encode()


def _read(data: bytes) -> LogIndex:
    """Empty where nothing was kept, by another release, or where the host lost its power while that was written."""
    try:
        found = json.loads(data)
        blocks = [Block(*block) for block in found["blocks"]]
        return LogIndex(found["size"], found["lines"], blocks, [Section(**section) for section in found["sections"]])
    except (ValueError, KeyError, TypeError):
        return LogIndex()
