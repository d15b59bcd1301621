"""The endpoints."""

from collections.abc import Callable
from functools import reduce
from typing import Any
from uuid import UUID

from flask import Blueprint, request

from app.api.layerci_v1 import entities
from app.api.layerci_v1.body import RunBody, read_run
from app.api.layerci_v1.callers import caller, knows_uuids
from app.api.layerci_v1.errors import ApiError
from app.api.layerci_v1.ids import run_id_of, uuid_of
from app.domain import plan_changes
from app.domain.errors import NotFound
from app.domain.permissions import Action
from app.domain.plan import Plan, Variable
from app.http.edge import core
from app.models import Pipeline, Project
from app.services import access
from app.services.pipelines.search_pipelines import find_pipeline
from app.services.repositories.find_repository import find_repository
from app.services.runs.run_branch import run_branch
from app.services.runs.run_jobs import attempts, run_by_number
from app.services.runs.search_runs import latest_run

_LONGEST_NUMBER = 18


def attach(blueprint: Blueprint) -> None:
    """Give the endpoints their addresses."""
    blueprint.add_url_rule("/run/<repo>/search", view_func=search_runs, methods=["GET"])
    blueprint.add_url_rule("/run/<repo>", view_func=create_run, methods=["POST"])
    blueprint.add_url_rule("/runners/<repo>/<job_uuid>", view_func=list_runners, methods=["GET"])
    snapshot = "<repo>/<job_uuid>/<runner_id>/prioritize-snapshot"
    for path in (f"/runners/{snapshot}", f"/{snapshot}"):  # webapp.io's page has the first, its programs the second
        blueprint.add_url_rule(path, view_func=prioritize_snapshot, methods=["POST"])


def search_runs(repo: str) -> dict[str, Any]:
    """The newest run that `?search=` finds; without it, the newest run."""
    project = _repository(repo, Action.READ_PIPELINE)
    found = latest_run(core(), project, request.args.get("search", ""))
    if found is None:
        raise ApiError(404, f"There are no runs in {project.full_path} matching the given filters.")
    return {"status": "ok", "job": entities.run(found, with_uuid=knows_uuids())}


def create_run(repo: str) -> dict[str, Any]:
    """Start a run."""
    project = _repository(repo, Action.CREATE_PIPELINE)
    given = read_run(request)
    extra = () if given.extra is None else (Variable("API_EXTRA", given.extra, public=False, raw=True),)
    made = run_branch(
        core(), project, caller(), branch=given.branch, ref=given.ref, variables=extra, amend=_amendments(given)
    )
    job = entities.run(made, with_uuid=knows_uuids())
    return {"status": "ok", "job": job, "url": entities.run_url(core(), made)}


def list_runners(repo: str, job_uuid: str) -> dict[str, Any]:
    """The runners of a run, which is named by its uuid or its number."""
    return {"status": "ok", "runners": _runners(_repository(repo, Action.READ_JOB), job_uuid)}


def prioritize_snapshot(repo: str, job_uuid: str, runner_id: str) -> dict[str, Any]:
    """The runner whose snapshot is wanted soon. No machine is kept here, so there is nothing to hurry."""
    found = _runners(_repository(repo, Action.UPDATE_JOB), job_uuid)
    runner = next((runner for runner in found if runner["id"] == runner_id), None)
    if runner is None:
        raise ApiError(404, f"There is no runner {runner_id!r} in run {job_uuid}.")
    return {"status": "ok", "job": runner}


def _runners(project: Project, job_uuid: str) -> list[dict[str, Any]]:
    try:
        found = _run(project, job_uuid)
    except NotFound as error:
        owner = project.full_path.rpartition("/")[0]
        raise ApiError(404, f"There is no run for {owner} matching uuid {job_uuid}.") from error
    path = found.config_path or ""
    return [entities.runner(attempt, path) for attempt in attempts(core(), found)]


def _repository(name: str, action: Action) -> Project:
    """The project called `name`, in which the caller may do `action`."""
    try:
        project = find_repository(core(), name, caller())
        access.require(core(), action, caller(), project)
    except NotFound as error:
        raise ApiError(404, f"There is no repository {name!r} that this token may see.") from error
    return project


def _run(project: Project, reference: str) -> Pipeline:
    if reference.isascii() and reference.isdigit() and len(reference) <= _LONGEST_NUMBER:
        return run_by_number(core(), project, int(reference))
    try:
        uuid = UUID(reference)
    except ValueError as error:
        raise NotFound("Run") from error
    found = find_pipeline(core(), project, run_id_of(uuid))
    if uuid_of(found.id, found.created_at) != uuid:
        raise NotFound("Run")
    return found


def _amendments(given: RunBody) -> Callable[[Plan], Plan]:
    """What the caller changes in the plan."""
    changes: list[Callable[[Plan], Plan]] = []
    if given.accept_buttons:
        changes.append(plan_changes.start_manual)
    if name := given.skip_no_further_than:
        changes.append(lambda plan: plan_changes.afresh_after(plan, name))
    return lambda plan: reduce(lambda changed, change: change(changed), changes, plan)
