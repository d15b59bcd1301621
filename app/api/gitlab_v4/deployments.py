"""A project's deployments (gitlab.md B)."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import READERS_AND_JOBS, USERS_AND_JOBS, Call, Routes
from app.api.gitlab_v4.entities import environments as entities
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.models import Deployment
from app.services.environments import deployments, save_deployment

routes = Routes()
_ORDERS = ("id", "iid", "created_at", "updated_at", "finished_at", "ref")
_TIMES = ("updated_after", "updated_before", "finished_after", "finished_before")


@routes.get(
    "/projects/<id>/deployments",
    params=(
        Param("environment", help="To the environment of this name"),
        Param("status", values=deployments.STATUSES),
        Param("order_by", values=_ORDERS, default="id"),
        Param("sort", values=("asc", "desc"), default="asc"),
        *(Param(name, Kind.TIME) for name in _TIMES),
        *PAGED,
    ),
    callers=READERS_AND_JOBS,
)
def list_deployments(call: Call) -> Response:
    """List a project's deployments"""
    query = deployments.project_deployments(
        call.project(Action.READ_ENVIRONMENTS),
        environment=call.params.get("environment"),
        status=call.params.get("status"),
    )
    for name in _TIMES:
        if name in call.params:
            column, _, way = name.rpartition("_")
            time = getattr(Deployment, f"{column}_at")
            query = query.where(time >= call.params[name] if way == "after" else time <= call.params[name])
    order = call.params["order_by"].replace("iid", "id")
    columns = [getattr(Deployment, order), Deployment.id]
    ordered = [column.desc() if call.params["sort"] == "desc" else column.asc() for column in columns]
    query = query.order_by(*ordered).options(*deployments.LOADED)
    return by_number(call, query, lambda rows: entities.deployments(call.core, rows))


@routes.get("/projects/<id>/deployments/<deployment_id>", callers=READERS_AND_JOBS)
def get_deployment(call: Call) -> dict[str, Any]:
    """Get a deployment"""
    project = call.project(Action.READ_ENVIRONMENTS)
    found = deployments.find_deployment(call.core, project, call.params["deployment_id"])
    return entities.deployments(call.core, [found])[0]


STATUS = Param("status", required=True, values=save_deployment.REPORTED)


@routes.post(
    "/projects/<id>/deployments",
    params=(
        Param("environment", required=True, blank=False, help="Its name; made where there is none"),
        Param("sha", required=True),
        Param("ref", required=True),
        Param("tag", Kind.BOOLEAN, required=True, help="Whether ref is a tag"),
        STATUS,
    ),
    callers=USERS_AND_JOBS,
)
def create_deployment(call: Call) -> dict[str, Any]:
    """Say that something outside deploys to an environment"""
    project, names = call.project(Action.ADMIN_ENVIRONMENTS), ("environment", "sha", "ref", "tag", "status")
    report = save_deployment.Report(**{name: call.params[name] for name in names})
    made = save_deployment.create_deployment(call.core, project, call.user, report)
    return entities.deployments(call.core, [made])[0]


@routes.put("/projects/<id>/deployments/<deployment_id>", params=(STATUS,), callers=USERS_AND_JOBS)
def update_deployment(call: Call) -> dict[str, Any]:
    """Say how a deployment that something outside does goes on"""
    project, params = call.project(Action.ADMIN_ENVIRONMENTS), call.params
    changed = save_deployment.change_deployment(call.core, project, params["deployment_id"], params["status"])
    return entities.deployments(call.core, [changed])[0]


@routes.delete("/projects/<id>/deployments/<deployment_id>", callers=USERS_AND_JOBS)
def delete_deployment(call: Call) -> None:
    """Remove a deployment that does not run"""
    project = call.project(Action.ADMIN_ENVIRONMENTS)
    save_deployment.remove_deployment(call.core, project, call.params["deployment_id"])
