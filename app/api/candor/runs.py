"""Runs: their logs and the files that they left (candor.md A.2, A.6)."""

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, unquote

from flask import Blueprint, Response, request

from app.api.candor import render
from app.api.candor.answers import word
from app.api.candor.callers import caller, inspected
from app.domain.errors import InvalidRequest, NotFound
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Job, Pipeline, PipelineDefinition
from app.services import access
from app.services.artifacts.archived_files import archived_files
from app.services.artifacts.read_artifact import Member, open_member
from app.services.jobs.read_trace import is_debug
from app.services.jobs.show_log import Stretch, read_stretch
from app.services.runs import assignees, show_runs

NO_LOG = "No log could be found"
NO_ARCHIVE = "No archive could be found"
_HEADING = b"**************** [%d/%d] ****************\n"


def add_routes(blueprint: Blueprint) -> None:
    blueprint.get("/api/runs/<pipeline_id>/<run_id>/log")(show_log)
    blueprint.get("/api/runs/<pipeline_id>/<run_id>/archive")(download_archived)
    blueprint.get("/api/runs/<pipeline_id>/<run_id>/archived")(download_archived)


def show_log(pipeline_id: str, run_id: str) -> Response:
    """The log of a run, stage by stage; of one that runs, as far as it is."""
    definition = inspected(pipeline_id)
    run = _find(definition, run_id)
    jobs = show_runs.jobs_of(core(), [run])[run.id] if run else []
    if run is None or not all(_may_read(definition, job) for job in jobs):
        return word(404, NO_LOG)
    stretches = [stretch for job in jobs for stretch in _stretches(job)]
    if not stretches and run.yaml_errors:
        return word(200, f"{run.yaml_errors}\n")
    return Response(_log(stretches), mimetype="text/plain")


def download_archived(pipeline_id: str, run_id: str) -> Response:
    """One file that a run archived. 400 without a `file` or with an unknown `mode`; `file` makes it a download."""
    definition = inspected(pipeline_id)
    names, modes = request.args.getlist("file"), request.args.getlist("mode") or ["stream"]
    if len(names) != 1 or not names[0] or len(modes) != 1 or modes[0] not in ("stream", "file"):
        return word(400)
    member = _open(_find(definition, run_id), names[0])
    if member is None:
        return word(404, NO_ARCHIVE)
    response = Response(member, mimetype="application/octet-stream")
    response.call_on_close(member.close)
    if modes[0] == "stream":
        del response.headers["Content-Type"]
        return response
    name = member.name.rpartition("/")[2]
    plain = "".join(char if " " <= char <= "~" and char not in '"\\' else "_" for char in name)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    response.content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response.content_length = member.size
    return response


def _find(definition: PipelineDefinition, run_id: str) -> Pipeline | None:
    if run_id == "last":
        return show_runs.last_run(core(), definition)
    try:
        number = int(run_id, 16) if len(run_id) <= 15 and run_id.isalnum() else 0
    except ValueError:
        return None
    run = show_runs.find_run(core(), definition, number)
    return run if run and render.run_id(run) == run_id.lower() else None


def _may_read(definition: PipelineDefinition, job: Job) -> bool:
    """A log that shows every variable is for those alone who may see them (services.jobs.read_trace), or could print
    them, because the plan is theirs to change.
    """
    if not is_debug(core(), job) or access.may(core(), Action.READ_DEBUG_TRACE, caller(), job.project):
        return True
    return definition.stored_text is not None and assignees.may_use(core(), definition, caller())


def _open(run: Pipeline | None, name: str) -> Member | None:
    """The file called `name`, which clients encode once more than they would have to."""
    if run is None:
        return None
    files = archived_files(core(), show_runs.jobs_of(core(), [run])[run.id])
    archive, path = files.get(name) or files.get(unquote(name)) or (None, "")
    try:
        return open_member(core(), archive, path) if archive else None
    except (NotFound, InvalidRequest):
        return None


def _stretches(job: Job) -> Iterable[tuple[Stretch | None, str]]:
    """(part of the log, last line) of each stage of `job`. None: the stage printed nothing yet, or never began."""
    lasts = render.last_lines(job)
    steps = render.own_steps(job)
    if not steps:
        return [(read_stretch(core(), job), last) for last in lasts] if job.steps else []
    return [
        (None if step.trace_start is None else read_stretch(core(), job, step.trace_start, step.trace_end), last)
        for step, last in zip(steps, lasts, strict=True)
    ]


def _log(stretches: Sequence[tuple[Stretch | None, str]]) -> Iterator[bytes]:
    try:
        for number, (stretch, last) in enumerate(stretches, 1):
            yield (b"\n" if number > 1 else b"") + _HEADING % (number, len(stretches))
            end = b"\n"
            for piece in stretch or ():
                end = piece[-1:]
                yield piece
            if last:
                yield (b"" if end == b"\n" else b"\n") + last.encode() + b"\n"
    finally:
        for stretch, _ in stretches:
            if stretch:
                stretch.close()
