"""A job's log: all of it, a part of it by range, its index, and what is added while the job runs."""

import base64
import json
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.http import http_date

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, visitor
from app.dashboard.headers import CONTENT_POLICY
from app.dashboard.stream_guard import still_allowed
from app.dashboard.streams import END, MORE, Event, stream
from app.domain.errors import NotAllowed, NotFound
from app.domain.permissions import Action
from app.domain.plain_log import plain_lines
from app.http.edge import core
from app.models import Job
from app.services.jobs import kept_index
from app.services.jobs.log_end import LoggedJob
from app.services.jobs.log_index import BLOCK_BYTES, LogIndex
from app.services.jobs.log_times import log_times
from app.services.jobs.read_trace import Trace, open_trace, require_trace
from app.services.jobs.search_log import search_log
from app.services.jobs.show_job import find_job, job_state

TAIL_BYTES = 16 * 1024
CHUNK = 64 * 1024
#: A reader that is far behind gets so much in one go, then looks whether the job has changed.
BURST = 16
LONGEST_SEARCH = 500


@dataclass(frozen=True, slots=True)
class LogTail:
    """The end of a log as plain lines. `size` is the whole log's, `cut` whether something stands before."""

    lines: list[str]
    size: int
    cut: bool


def log_tail(job: Job) -> LogTail | None:
    """What the page shows at once, and without a script for good; None where the visitor may not read it."""
    try:
        require_trace(core(), job, visitor())
    except (NotAllowed, NotFound):
        return None
    with open_trace(core(), job) as trace:
        start = max(0, trace.size - TAIL_BYTES)
        trace.seek(start)
        data = trace.read(TAIL_BYTES)
    if start:
        data = data[data.find(b"\n") + 1 :]
    return LogTail(plain_lines(data), trace.size, start > 0)


def _readable(path: str, job_id: int) -> Job:
    job = find_job(core(), open_project(path, Action.READ_TRACE), job_id)
    require_trace(core(), job, visitor())
    return job


@pages.get("/<project:path>/-/jobs/<key:job_id>/raw")
def raw_log(path: str, job_id: int) -> ResponseReturnValue:
    """The log's bytes as they came, whole or by `Range`; `?download=1` as a file to save."""
    job = _readable(path, job_id)
    response = _ranged(open_trace(core(), job))
    kind = "attachment" if request.args.get("download") else "inline"
    response.headers["Content-Disposition"] = f'{kind}; filename="job-{job.id}.log"'
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["Last-Modified"] = http_date(job.updated_at)
    return response


def _ranged(trace: Trace) -> Response:
    """The whole log as it stands now, or the one range that was asked for."""
    size = trace.size
    asked = request.range if request.range and request.range.units == "bytes" else None
    wanted = asked.range_for_length(size) if asked else None
    if asked and wanted is None:
        trace.close()
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = wanted or (0, size)
    response = Response(_pieces(trace, start, end), 206 if wanted else 200, mimetype="text/plain")
    response.call_on_close(trace.close)  # for a reader who left before the first byte
    response.content_length = end - start
    response.headers["Accept-Ranges"] = "bytes"
    if wanted:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _pieces(trace: Trace, start: int, end: int) -> Iterator[bytes]:
    with trace:
        trace.seek(start)
        while start < end and (data := trace.read(min(CHUNK, end - start))):
            start += len(data)
            yield data


@pages.get("/<project:path>/-/jobs/<key:job_id>/log_index")
def log_index(path: str, job_id: int) -> ResponseReturnValue:
    """Where lines and sections lie (`services.jobs.log_index`), as JSON: blocks are [start, line, lines, style], times
    [offset, when the bytes from there on came, in seconds since 1970]; `last` the bytes of the last block in base64,
    so that the end can be drawn at once, null where they are many.
    """
    job = _readable(path, job_id)
    times = log_times(core(), job_id)
    core().session.remove()
    index = kept_index.log_index(core(), job)
    return jsonify(
        times=times,
        size=index.size,
        lines=index.lines,
        blocks=[[block.start, block.line, block.lines, block.style] for block in index.blocks],
        sections=[asdict(section) for section in index.sections],
        last=_last_block(job, index),
    )


def _last_block(job: LoggedJob, index: LogIndex) -> str | None:
    start = index.blocks[-1].start if index.blocks else index.size
    if index.size - start > 2 * BLOCK_BYTES:
        return None
    with open_trace(core(), job) as trace:
        trace.seek(start)
        return base64.b64encode(trace.read(index.size - start)).decode("ascii")


@pages.get("/<project:path>/-/jobs/<key:job_id>/log_search")
def log_search(path: str, job_id: int) -> ResponseReturnValue:
    """The lines that hold `?q=` (`services.jobs.search_log`), as JSON: {"total", "lines", "scanned"}."""
    job = _readable(path, job_id)
    trace = open_trace(core(), job)
    core().session.remove()
    with trace:
        return jsonify(asdict(search_log(trace, request.args.get("q", "")[:LONGEST_SEARCH])))


@pages.get("/<project:path>/-/jobs/<key:job_id>/events")
def job_events(path: str, job_id: int) -> ResponseReturnValue:
    """`log` events carry the bytes from `?from=` on in base64, their id is the offset behind them; `times` before them
    says when such bytes came (as in `log_index`); `changed` that the job differs from `?version=`; `reset` that the log
    begins anew. After the end of both comes `end`.
    """
    job = _readable(path, job_id)
    reader = _LogReader(job.id, _offset(), request.args.get("version"))
    topics = [f"job:{job.id}", f"trace:{job.id}"]
    return stream(topics, reader.read, still_allowed(job.project, Action.READ_TRACE))


def _offset() -> int:
    text = request.headers.get("Last-Event-ID") or request.args.get("from", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


class _LogReader:
    """What one reader has seen: so many bytes of the log, and this version of the job."""

    def __init__(self, job_id: int, offset: int, version: str | None) -> None:
        self._job_id, self._offset, self._version = job_id, offset, version

    def read(self) -> Iterator[Event]:
        # The job before the log: when it has ended, the log that is read afterwards is complete.
        state = job_state(core(), self._job_id)
        if state is None:
            yield END
            return
        behind = yield from self._log(state.log)
        if state.version != self._version:
            self._version = state.version
            yield Event("changed", state.version)
        if behind:
            yield MORE
        elif state.ended:
            yield END

    def _log(self, job: LoggedJob) -> Generator[Event, None, bool]:
        """Events for the bytes that are new. Returns whether there are more still."""
        with open_trace(core(), job) as trace:
            if trace.size < self._offset:
                self._offset = 0
                yield Event("reset", "", "0")
            if trace.size > self._offset and (times := log_times(core(), self._job_id, self._offset)):
                yield Event("times", json.dumps(times))
            trace.seek(self._offset)
            for _ in range(BURST):
                data = trace.read(CHUNK)
                if not data:
                    return False
                self._offset += len(data)
                yield Event("log", base64.b64encode(data).decode("ascii"), str(self._offset))
            return self._offset < trace.size
