"""Runners, as people manage them. What runners themselves call is in `runner/`."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.entities import jobs as job_entities
from app.api.gitlab_v4.entities import runners as entities
from app.api.gitlab_v4.errors import BadParams, forbidden
from app.api.gitlab_v4.pagination import KEYSET, PAGED, by_key, by_number, wants_keyset
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.status import AVAILABLE
from app.models import Group, Job, Runner
from app.services import access
from app.services.jobs import list_jobs
from app.services.runners import manage_runner, search_runners
from app.services.runners.create_runner import ACCESS_LEVELS, RUNNER_TYPES
from app.services.runners.register_runner import reset_runner_token as give_new_token
from app.services.runners.share_runner import is_shared

routes = Routes()
FILTERS = (
    Param("type", values=RUNNER_TYPES),
    Param("scope", values=(*RUNNER_TYPES, "specific", "shared", *search_runners.STATUSES), help="Deprecated"),
    Param("status", values=search_runners.STATUSES),
    Param("paused", Kind.BOOLEAN),
    Param("tag_list", Kind.LIST, default=()),
    Param("version_prefix", help="Of the version that one of its daemons reports"),
)
SETTINGS = (
    Param("description"),
    Param("active", Kind.BOOLEAN, help="Deprecated: the opposite of paused"),
    Param("paused", Kind.BOOLEAN),
    Param("tag_list", Kind.LIST),
    Param("run_untagged", Kind.BOOLEAN),
    Param("locked", Kind.BOOLEAN),
    Param("access_level", values=ACCESS_LEVELS),
    Param("maximum_timeout", Kind.INTEGER, help="Seconds, at least 600"),
    Param("maintenance_note"),
)
MANAGE = ("api", "manage_runner")


def runner_filter(call: Call) -> search_runners.RunnerFilter:
    """What FILTERS ask for."""
    params = call.params
    scope = params.get("scope", "")
    kind = {"specific": "project_type", "shared": "instance_type"}.get(scope, scope if scope in RUNNER_TYPES else None)
    return search_runners.RunnerFilter(
        runner_type=params.get("type") or kind,
        status=params.get("status") or (scope if scope in search_runners.STATUSES else None),
        paused=params.get("paused"),
        tags=params["tag_list"],
        version_prefix=params.get("version_prefix"),
    )


def render_runners(call: Call) -> Any:
    """What makes a page of runners out of its rows."""

    def render(rows: list[Runner]) -> list[dict[str, Any]]:
        busy = search_runners.busy(call.core, [row.id for row in rows])
        return [entities.runner(call.core, row, row.id in busy.runners) for row in rows]

    return render


def managed_runner(call: Call) -> Runner:
    """The runner of `runner_id`, which the caller may manage. Raises ApiError."""
    runner = search_runners.find_runner(call.core, call.params["runner_id"])
    if not search_runners.may_manage(call.core, call.signed_in, runner):
        raise forbidden("No access granted")
    return runner


def readable_runner(call: Call) -> Runner:
    """The runner of `runner_id`, which the caller may read. Raises ApiError."""
    runner = search_runners.find_runner(call.core, call.params["runner_id"])
    if not search_runners.may_read(call.core, call.signed_in, runner):
        raise forbidden("No access granted")
    return runner


def _details(call: Call, runner: Runner) -> dict[str, Any]:
    core = call.core
    found = search_runners.find_runner(core, runner.id)
    rows = core.session.scalars(search_runners.projects_of(found)).all() if found.project_id else []
    projects = [row for row in rows if access.may(core, Action.READ_PROJECT, call.user, row)]
    group = core.session.get(Group, found.group_id) if found.group_id else None
    busy = found.id in search_runners.busy(core, [found.id]).runners
    return entities.runner_details(core, found, busy, projects, [group] if group else [])


@routes.get("/runners", params=(*FILTERS, *PAGED))
def list_runners(call: Call) -> Response:
    """List the runners that one may manage"""
    query = search_runners.runners(call.core, call.signed_in, runner_filter(call))
    return by_number(call, query, render_runners(call))


@routes.get("/runners/all", params=(*FILTERS, *PAGED))
def list_all_runners(call: Call) -> Response:
    """List all runners: admins only"""
    if not call.signed_in.is_admin:
        raise forbidden()
    query = search_runners.runners(call.core, call.signed_in, runner_filter(call), everywhere=True)
    return by_number(call, query, render_runners(call))


@routes.get("/projects/<id>/runners", params=(*FILTERS, *PAGED))
def list_project_runners(call: Call) -> Response:
    """List the runners that may take a project's jobs"""
    project = call.project(Action.READ_RUNNERS)
    return by_number(
        call, search_runners.project_runners(call.core, project, runner_filter(call)), render_runners(call)
    )


@routes.get("/runners/<runner_id>", params=(Param("include_projects", Kind.BOOLEAN, default=True),))
def get_runner(call: Call) -> dict[str, Any]:
    """Get a runner"""
    shown = _details(call, readable_runner(call))
    return shown if call.params["include_projects"] else shown | {"projects": []}


@routes.put("/runners/<runner_id>", params=SETTINGS, scopes=MANAGE)
def update_runner(call: Call) -> dict[str, Any]:
    """Change a runner"""
    changes = {param.name: call.params[param.name] for param in SETTINGS if param.name in call.params}
    if not changes:
        raise BadParams(
            f"{', '.join(param.name for param in SETTINGS)} are missing, at least one parameter must be provided"
        )
    if "active" in changes:
        changes["paused"] = not changes.pop("active")
    if "tag_list" in changes:
        changes["tags"] = changes.pop("tag_list")
    return _details(call, manage_runner.change_runner(call.core, managed_runner(call), changes))


@routes.delete("/runners/<runner_id>", scopes=MANAGE)
def delete_runner(call: Call) -> None:
    """Remove a runner"""
    runner = managed_runner(call)
    if is_shared(call.core, runner) and not call.signed_in.is_admin:
        raise forbidden("Runner associated with more than one project")
    manage_runner.remove_runner(call.core, runner)


@routes.post("/runners/<runner_id>/reset_authentication_token", scopes=MANAGE)
def reset_runner_token(call: Call) -> dict[str, Any]:
    """Give a runner a new token; the old one opens nothing any more"""
    _, plain = give_new_token(call.core, managed_runner(call))
    return {"token": plain, "token_expires_at": None}


@routes.get("/runners/<runner_id>/managers", params=PAGED)
def list_runner_managers(call: Call) -> Response:
    """List the daemons that work with a runner's token"""
    runner = managed_runner(call)
    busy = search_runners.busy(call.core, [runner.id])
    return by_number(
        call,
        search_runners.managers(runner),
        lambda rows: [entities.runner_manager(call.core, row, row.id in busy.managers) for row in rows],
    )


@routes.get(
    "/runners/<runner_id>/jobs",
    params=(
        Param("status", values=AVAILABLE),
        Param("system_id", help="Of one of its daemons"),
        Param("order_by", values=("id",)),
        *PAGED,
        *KEYSET,
    ),
)
def list_runner_jobs(call: Call) -> Response:
    """List the jobs that a runner took"""
    runner, wanted = managed_runner(call), call.params.get("status")
    query = list_jobs.runner_jobs(runner, (wanted,) if wanted else (), call.params.get("system_id"))
    if wants_keyset(call):
        return by_key(call, query, lambda rows: job_entities.jobs(call.core, rows), Job.id)
    return by_number(call, query, lambda rows: job_entities.jobs(call.core, rows))
