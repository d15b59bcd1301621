"""Branches and tags that only some may move."""

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.domain.errors import AlreadyExists, InvalidRequest, NotFound
from app.domain.permissions import Action, Role
from app.http.edge import core
from app.models import Project, ProtectedRef
from app.services.repositories.protect_refs import change_rule, protect, unprotect
from app.services.repositories.protect_refs import protected_refs as rules_of

#: Who may push, and how a form calls them.
ROLES = ((40, "maintainers"), (30, "developers and maintainers"), (0, "nobody"))
_BLANK: dict[str, Any] = {"name": "", "kind": "branch", "push_role": int(Role.MAINTAINER), "allow_force_push": False}


def _open(path: str) -> Project:
    signed_in()
    g.section = "settings"
    return open_project(path, Action.ADMIN_PROJECT)


def _find(path: str, rule_id: int) -> tuple[Project, ProtectedRef]:
    project = _open(path)
    rule = core().session.get(ProtectedRef, rule_id)
    if rule is None or rule.project_id != project.id:
        raise NotFound("Protected ref")
    return project, rule


def _page(project: Project, values: dict[str, Any] | None = None, error: tuple[str, str] | None = None) -> str:
    rules = [rule for kind in ("branch", "tag") for rule in core().session.scalars(rules_of(project, kind))]
    return render_template(
        "settings/protected_refs.html", project=project, rules=rules, roles=ROLES, values=values or _BLANK, error=error
    )


def _back(project: Project) -> ResponseReturnValue:
    return redirect(url_for("pages.protected_refs", path=project.full_path), 303)


@pages.get("/<project:path>/-/settings/protected_refs")
def protected_refs(path: str) -> ResponseReturnValue:
    return _page(_open(path))


@pages.post("/<project:path>/-/settings/protected_refs")
def protect_ref(path: str) -> ResponseReturnValue:
    project, form = _open(path), request.form
    values: dict[str, Any] = {
        "name": form.get("name", "").strip(),
        "kind": form.get("kind", ""),
        "push_role": form.get("push_role", -1, type=int),
        "allow_force_push": "allow_force_push" in form,
    }
    try:
        if values["kind"] not in ("branch", "tag"):
            raise InvalidRequest("choose branch or tag", "kind")
        force = values["allow_force_push"] and values["kind"] == "branch"
        kind, name, role = values["kind"], values["name"], values["push_role"]
        protect(core(), project, kind, name, push_role=role, allow_force_push=force)
    except (InvalidRequest, AlreadyExists) as error:
        field = "push_role" if error.field == "access_level" else error.field or "name"
        return _page(project, values, (field, sentence(error))), 422
    flash(f"{values['name']} is protected.", "done")
    return _back(project)


@pages.post("/<project:path>/-/settings/protected_refs/<key:rule_id>")
def change_protected_ref(path: str, rule_id: int) -> ResponseReturnValue:
    """Change who may push, or whether history may be replaced: what the form names."""
    project, rule = _find(path, rule_id)
    form = request.form
    force = form["allow_force_push"] == "1" if "allow_force_push" in form else None
    role = form.get("push_role", -1, type=int) if "push_role" in form else None
    changed = change_rule(core(), rule, push_role=role, allow_force_push=force)
    flash(f"The protection of {changed.pattern} is changed.", "done")
    return _back(project)


@pages.post("/<project:path>/-/settings/protected_refs/<key:rule_id>/remove")
def remove_protected_ref(path: str, rule_id: int) -> ResponseReturnValue:
    project, rule = _find(path, rule_id)
    pattern = rule.pattern
    unprotect(core(), rule)
    flash(f"{pattern} is not protected any more.", "done")
    return _back(project)
