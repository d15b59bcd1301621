"""Runners come and go (gitlab.md A.1)."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.api.gitlab_v4.runner import errors
from app.api.gitlab_v4.runner.parameters import (
    authenticated_runner,
    boolean,
    integer,
    parameters,
    recognised_runner,
    runner_info,
    text,
    token,
)
from app.domain.errors import InvalidRequest, NotAllowed
from app.http.caller_of_request import note_caller
from app.http.edge import core
from app.models import Runner
from app.services.accounts.authenticate import runner_by_token
from app.services.runners.manage_runner import remove_runner
from app.services.runners.register_runner import (
    Registration,
    register_runner,
    reset_runner_token,
    unregister_manager,
)
from app.services.runners.runner_contact import note_contact

blueprint = Blueprint("runner_registration", __name__)
#: What our runner may use beyond GitLab's protocol; any other one ignores it.
EXTENSIONS = {"X-Skerry-Features": "skerry_steps skerry_hand_back skerry_half_close"}
_LONGEST_TIMEOUT = 10**8


@blueprint.post("/runners", strict_slashes=False)
def register() -> Response:
    """Also with a slash at the end, as GitLab has it: `gitlab-runner-api` writes one."""
    given = parameters()
    note_caller(None, "registration token")
    runner, plain = register_runner(core(), token(given, "Runner-Token"), _registration(given))
    return _details(runner, plain, 201)


@blueprint.post("/runners/verify")
def verify() -> Response:
    given = parameters()
    known = recognised_runner(given)
    if given.get("system_id"):
        note_contact(core(), known, text(given["system_id"]), runner_info(given), request.remote_addr)
    response = _details(core().session.get_one(Runner, known.runner_id), token(given, "Runner-Token"), 200)
    response.headers.extend(EXTENSIONS)
    return response


@blueprint.delete("/runners")
def unregister() -> Response:
    remove_runner(core(), authenticated_runner(parameters()))
    return Response(status=204)


@blueprint.delete("/runners/managers")
def remove_manager() -> Response:
    given = parameters()
    runner = authenticated_runner(given)
    system_id = text(given.get("system_id"))
    if not system_id:
        raise InvalidRequest("system_id is missing")
    unregister_manager(core(), runner, system_id)
    return Response(status=204)


@blueprint.post("/runners/reset_authentication_token")
def reset_token() -> Response:
    given = parameters()
    runner, plain = reset_runner_token(core(), authenticated_runner(given), token(given, "Runner-Token"))
    return _details(runner, plain, 201)


@blueprint.get("/runners/router/discovery")
def discover_router() -> Response:
    """There is no job router here."""
    if runner_by_token(core(), request.headers.get("Runner-Token", "")) is None:
        raise NotAllowed
    return errors.answer(501, "501 Not Implemented")


def _registration(given: dict[str, Any]) -> Registration:
    tags = given.get("tag_list") or ""
    words = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    return Registration(
        description=text(given.get("description"), 1024),
        maintenance_note=text(given.get("maintenance_note") or given.get("maintainer_note"), 2000) or None,
        tags=tuple(tag for tag in (text(word).strip() for word in words) if tag),
        run_untagged=boolean(given.get("run_untagged"), True),
        locked=boolean(given.get("locked"), False),
        paused=boolean(given.get("paused"), not boolean(given.get("active"), True)),
        access_level=text(given.get("access_level")) or "not_protected",
        maximum_timeout=integer(given.get("maximum_timeout"), 0, _LONGEST_TIMEOUT),
    )


def _details(runner: Runner, plain: str, status: int) -> Response:
    expires = runner.token_expires_at
    response = jsonify(
        id=runner.id,
        token=plain,
        token_expires_at=expires.isoformat(timespec="milliseconds").replace("+00:00", "Z") if expires else None,
    )
    response.status_code = status
    return response
