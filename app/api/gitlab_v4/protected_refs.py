"""Protected branches and tags."""

from typing import Any

from flask import Response

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.errors import message
from app.api.gitlab_v4.pagination import PAGED, by_number
from app.api.gitlab_v4.params import Kind, Param
from app.domain.errors import AlreadyExists
from app.domain.permissions import Action
from app.models import ProtectedRef
from app.services.repositories import protect_refs

routes = Routes()
LEVELS = ("0", "30", "40")
_WORDS = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers"}


def _allowed(name: str) -> Param:
    return Param(name, Kind.OBJECTS, fields=(Param("access_level", values=LEVELS),), help="Roles; the lowest counts")


PUSH, MERGE, CREATE = (
    Param(f"{verb}_access_level", values=LEVELS, help="0 nobody, 30 developers, 40 maintainers")
    for verb in ("push", "merge", "create")
)


def _levels(rule_id: int, level: int) -> list[dict[str, Any]]:
    words = _WORDS.get(level, "Owners")
    return [
        {"id": rule_id, "access_level": level, "access_level_description": words, "user_id": None, "group_id": None}
    ]


def _branch(rule: ProtectedRef) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.pattern,
        "push_access_levels": _levels(rule.id, rule.push_role),
        "merge_access_levels": _levels(rule.id, rule.push_role if rule.merge_role is None else rule.merge_role),
        "unprotect_access_levels": [],
        "allow_force_push": rule.allow_force_push,
        "code_owner_approval_required": False,
        "inherited": False,
    }


def _tag(rule: ProtectedRef) -> dict[str, Any]:
    return {"name": rule.pattern, "create_access_levels": _levels(rule.id, rule.push_role)}


def _chosen(call: Call, single: str, many: str) -> int | None:
    """The role that a caller chose, in either form."""
    levels = [int(item["access_level"]) for item in call.params.get(many, ()) if "access_level" in item]
    if levels:
        return min((level for level in levels if level), default=0)
    return int(call.params[single]) if single in call.params else None


def _rule(call: Call, kind: str) -> ProtectedRef:
    project = call.project(Action.ADMIN_PROJECT)
    return protect_refs.find_rule(call.core, project, kind, call.params["name"])


def _protect(call: Call, kind: str, **given: Any) -> ProtectedRef:
    project = call.project(Action.ADMIN_PROJECT)
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return protect_refs.protect(call.core, project, kind, call.params["name"], **chosen)
    except AlreadyExists as error:
        raise message(409, str(error)) from error


@routes.get("/projects/<id>/protected_branches", params=(Param("search"), *PAGED))
def list_protected_branches(call: Call) -> Response:
    """List the protected branches"""
    query = protect_refs.protected_refs(call.project(Action.ADMIN_PROJECT), "branch", call.params.get("search", ""))
    return by_number(call, query, lambda rows: [_branch(row) for row in rows])


@routes.get("/projects/<id>/protected_branches/<name>")
def get_protected_branch(call: Call) -> dict[str, Any]:
    """Get a protected branch, or a pattern of them"""
    return _branch(_rule(call, "branch"))


@routes.post(
    "/projects/<id>/protected_branches",
    params=(
        Param("name", required=True, help="A branch, or a pattern with *"),
        PUSH,
        MERGE,
        _allowed("allowed_to_push"),
        _allowed("allowed_to_merge"),
        Param("allow_force_push", Kind.BOOLEAN, default=False),
    ),
)
def protect_branch(call: Call) -> dict[str, Any]:
    """Protect a branch, or all that a pattern covers"""
    rule = _protect(
        call,
        "branch",
        push_role=_chosen(call, "push_access_level", "allowed_to_push"),
        merge_role=_chosen(call, "merge_access_level", "allowed_to_merge"),
        allow_force_push=call.params["allow_force_push"],
    )
    return _branch(rule)


@routes.patch(
    "/projects/<id>/protected_branches/<name>",
    params=(_allowed("allowed_to_push"), _allowed("allowed_to_merge"), Param("allow_force_push", Kind.BOOLEAN)),
)
def update_protected_branch(call: Call) -> dict[str, Any]:
    """Change how a branch is protected"""
    changed = protect_refs.change_rule(
        call.core,
        _rule(call, "branch"),
        push_role=_chosen(call, "", "allowed_to_push"),
        merge_role=_chosen(call, "", "allowed_to_merge"),
        allow_force_push=call.params.get("allow_force_push"),
    )
    return _branch(changed)


@routes.delete("/projects/<id>/protected_branches/<name>")
def unprotect_branch(call: Call) -> None:
    """Take a branch's protection away"""
    protect_refs.unprotect(call.core, _rule(call, "branch"))


@routes.get("/projects/<id>/protected_tags", params=PAGED)
def list_protected_tags(call: Call) -> Response:
    """List the protected tags"""
    query = protect_refs.protected_refs(call.project(Action.ADMIN_PROJECT), "tag")
    return by_number(call, query, lambda rows: [_tag(row) for row in rows])


@routes.get("/projects/<id>/protected_tags/<name>")
def get_protected_tag(call: Call) -> dict[str, Any]:
    """Get a protected tag, or a pattern of them"""
    return _tag(_rule(call, "tag"))


@routes.post(
    "/projects/<id>/protected_tags",
    params=(Param("name", required=True, help="A tag, or a pattern with *"), CREATE, _allowed("allowed_to_create")),
)
def protect_tag(call: Call) -> dict[str, Any]:
    """Protect a tag, or all that a pattern covers"""
    return _tag(_protect(call, "tag", push_role=_chosen(call, "create_access_level", "allowed_to_create")))


@routes.delete("/projects/<id>/protected_tags/<name>")
def unprotect_tag(call: Call) -> None:
    """Take a tag's protection away"""
    protect_refs.unprotect(call.core, _rule(call, "tag"))
