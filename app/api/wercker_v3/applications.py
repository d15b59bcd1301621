"""Applications, and what lies below them."""

from typing import Any

from app.api.wercker_v3 import lookup
from app.api.wercker_v3.endpoint import Call, Routes
from app.api.wercker_v3.entities import applications as entities
from app.api.wercker_v3.entities.pipelines import pipeline
from app.api.wercker_v3.paging import paged
from app.api.wercker_v3.params import Kind, Param
from app.domain.branch_patterns import MAX_PATTERNS
from app.domain.permissions import Action
from app.models import Project
from app.services import access
from app.services.projects.search_projects import ProjectFilter, projects
from app.services.repositories.ignore_branches import ignore_branches
from app.services.runs.definitions import definitions_of

routes = Routes()
ORDERS = {
    "nameAsc": ("path", "asc"),
    "nameDesc": ("path", "desc"),
    "createdAtAsc": ("created_at", "asc"),
    "createdAtDesc": ("created_at", "desc"),
    "updatedAtAsc": ("last_activity_at", "asc"),
    "updatedAtDesc": ("last_activity_at", "desc"),
}
#: What may be done, and the permission behind it.
ACTIONS = {
    "build_project": Action.CREATE_PIPELINE,
    "create_run": Action.CREATE_PIPELINE,
    "abort_run": Action.UPDATE_PIPELINE,
    "edit_project": Action.ADMIN_PROJECT,
}
STACKS = ("1", "5", "6")
OLD_RUNS = (
    Param("branch"),
    Param("commit"),
    Param("result"),
    Param("status"),
    Param("stack", values=STACKS),
    Param("buildId", Kind.ID),
    *paged(20, 10),
)


@routes.get(
    "/applications/<username>",
    params=(Param("stack", values=STACKS), Param("sort", values=tuple(ORDERS), default="nameAsc"), *paged(100)),
    everyone=True,
)
def list_applications(call: Call) -> list[dict[str, Any]]:
    """List the applications of an owner that the caller may see"""
    given = call.params
    if given.get("stack", str(entities.STACK)) != str(entities.STACK):
        return []
    order_by, sort = ORDERS[given["sort"]]
    wanted = ProjectFilter(group=given["username"], order_by=order_by, sort=sort)
    query = projects(call.core, call.user, wanted).limit(given["limit"]).offset(given["skip"])
    return [entities.summary(call.core, row) for row in call.core.session.scalars(query)]


@routes.get("/applications/<path:username>/<application>", everyone=True)
def get_application(call: Call) -> dict[str, Any]:
    """Get an application"""
    project = lookup.project_by_path(call, Action.READ_PROJECT)
    return entities.application(call.core, project, _allowed(call, project))


def _allowed(call: Call, project: Project) -> list[str]:
    may = {action: access.may(call.core, action, call.user, project) for action in dict.fromkeys(ACTIONS.values())}
    return [name for name, action in ACTIONS.items() if may[action]]


@routes.patch(
    "/applications/<path:username>/<application>",
    params=(Param("ignoredBranches", Kind.TEXTS, high=MAX_PATTERNS),),
)
def change_application(call: Call) -> dict[str, Any]:
    """Say which branches' pushes start nothing"""
    project = lookup.project_by_path(call, Action.ADMIN_PROJECT)
    if "ignoredBranches" in call.params:
        project = ignore_branches(call.core, project, call.signed_in, call.params["ignoredBranches"])
    return entities.application(call.core, project)


@routes.get("/applications/<path:username>/<application>/pipelines", params=paged(100), everyone=True)
def list_application_pipelines(call: Call) -> list[dict[str, Any]]:
    """List the pipelines of an application"""
    project = lookup.project_by_path(call, Action.READ_PIPELINE)
    query = definitions_of(project).limit(call.params["limit"]).offset(call.params["skip"])
    return [pipeline(call.core, row, project) for row in call.core.session.scalars(query)]


@routes.get("/applications/<path:username>/<application>/builds", params=OLD_RUNS, everyone=True)
def list_builds(call: Call) -> list[dict[str, Any]]:
    """List the builds of an application: none, since pipelines took their place (stack 6)"""
    lookup.project_by_path(call, Action.READ_PIPELINE)
    return []


@routes.get("/applications/<path:username>/<application>/deploys", params=OLD_RUNS, everyone=True)
def list_deploys(call: Call) -> list[dict[str, Any]]:
    """List the deploys of an application: none, since pipelines took their place (stack 6)"""
    lookup.project_by_path(call, Action.READ_PIPELINE)
    return []
