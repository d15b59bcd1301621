"""A runner reports on its job, and sends its log (gitlab.md A.4, A.5)."""

import re
from typing import Any

from flask import Blueprint, Response, request

from app.api.gitlab_v4.runner import errors
from app.api.gitlab_v4.runner.body import read_body
from app.api.gitlab_v4.runner.parameters import integer, parameters, table, text, token
from app.domain import status
from app.http.edge import core
from app.services.runners.append_trace import append_trace
from app.services.runners.report_job import Report, report_job

blueprint = Blueprint("runner_jobs", __name__)
RANGE = re.compile(r"([0-9]{1,18})-([0-9]{0,18})", re.ASCII)
_CHECKSUM = re.compile(r"crc32:([0-9a-f]{8})", re.ASCII)
_MOST_STEPS = 10_000


@blueprint.put("/jobs/<int(max=9223372036854775807):job_id>")
def update(job_id: int) -> Response:
    given = parameters()
    heard = report_job(core(), job_id, token(given, "Job-Token"), _report(given))
    if heard.resend:
        response = errors.answer(412, "412 Precondition Failed - the log does not have the checksum that was sent")
    else:
        response = Response('"200"', mimetype="application/json")
    return _steer(response, heard.job_status, heard.interval)


@blueprint.patch("/jobs/<int(max=9223372036854775807):job_id>/trace")
def patch_trace(job_id: int) -> Response:
    sent_range = RANGE.fullmatch(request.headers.get("Content-Range", "").strip())
    if sent_range is None:
        return errors.answer(400, "400 Bad request - Content-Range is missing or is not START-END")
    job_token = token(request.args.to_dict(), "Job-Token")
    appended = append_trace(core(), job_id, job_token, int(sent_range[1]), read_body(request))
    response = Response(status=202) if appended.accepted else errors.answer(416, "416 Range Not Satisfiable")
    response.headers["Range"] = f"0-{appended.size}"
    return _steer(response, appended.job_status, appended.interval)


def _steer(response: Response, job_status: str, interval: int) -> Response:
    response.headers["Job-Status"] = job_status
    response.headers["X-GitLab-Trace-Update-Interval"] = str(interval)
    return response


def _report(given: dict[str, Any]) -> Report:
    output = table(given.get("output"))
    checksum = _CHECKSUM.fullmatch(text(output.get("checksum") or given.get("checksum")))
    steps, trace = given.get("steps"), given.get("trace")
    return Report(
        state=status.RUNNING if given.get("state") is None else text(given["state"]),
        failure_reason=text(given.get("failure_reason")) or None,
        exit_code=integer(given.get("exit_code"), -(1 << 31), (1 << 31) - 1),
        crc=int(checksum[1], 16) if checksum else None,
        size=integer(output.get("bytesize"), 0, 1 << 62),
        steps=steps[:_MOST_STEPS] if isinstance(steps, list) else (),
        trace=trace.encode("utf-8", "replace") if isinstance(trace, str) else None,
    )
