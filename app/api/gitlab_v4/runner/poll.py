"""A runner asks for a job (gitlab.md A.3)."""

from flask import Blueprint, Response, jsonify, request

from app.api.gitlab_v4.runner import client, errors
from app.api.gitlab_v4.runner.parameters import parameters, recognised_runner, runner_info, text
from app.api.gitlab_v4.runner.rate import RateLimit
from app.api.gitlab_v4.runner.registration import EXTENSIONS
from app.http.edge import core
from app.services.runners.job_payload import payload_or_failure
from app.services.runners.poll_job import poll_job
from app.services.runners.runner_contact import note_contact

blueprint = Blueprint("runner_poll", __name__)
#: A manager with a hundred slots and jobs of two seconds asks fifty times a second.
_rate = RateLimit(per_second=100, burst=500)


@blueprint.post("/jobs/request")
def request_job() -> Response:
    given = parameters()
    parts = core()
    runner = recognised_runner(given)
    if not _rate.allows(runner.runner_id):
        response = errors.answer(429, "429 Too Many Requests")
        response.headers["Retry-After"] = "1"
        return response
    contact = note_contact(parts, runner, text(given.get("system_id")), runner_info(given), request.remote_addr)
    if runner.look.runner.paused:
        return _nothing(runner.look.tick)
    environ = request.environ
    polled = poll_job(parts, runner.look, contact, lambda: client.is_gone(environ))
    payload = payload_or_failure(parts, polled.claimed, contact.features) if polled.claimed else None
    if payload is None:
        return _nothing(polled.tick)
    response = jsonify(payload)
    response.status_code = 201
    response.headers.extend(EXTENSIONS)
    return response


def _nothing(tick: int) -> Response:
    """No job: what the runner sends back as `last_update` the next time."""
    return Response(status=204, headers=EXTENSIONS | {"X-GitLab-Last-Update": str(tick)})
