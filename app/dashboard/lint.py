"""Check a configuration before it is committed: what is wrong in it, what it comes to, and which jobs it would make."""

from dataclasses import dataclass

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dialects.base import Compilation
from app.dialects.diagnostics import Diagnostic
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project
from app.services.pipelines.lint_content import committed_text, lint_content

LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A diagnostic, with the line that it is about where that is a line of the text; `before` stands left of its place.

    `before` and `rest` are None where the line is not at hand.
    """

    diagnostic: Diagnostic
    before: str | None = None
    rest: str | None = None


@pages.get("/<project:path>/-/ci/lint")
def lint(path: str) -> ResponseReturnValue:
    project = open_project(path, Action.LINT)
    ref = request.args.get("ref") or project.default_branch
    return _page(project, ref, committed_text(core(), project, ref))


@pages.post("/<project:path>/-/ci/lint")
def check_configuration(path: str) -> ResponseReturnValue:
    user, project = signed_in(), open_project(path, Action.LINT)
    ref = request.form.get("ref", "").strip() or project.default_branch
    if "load" in request.form:
        return _page(project, ref, committed_text(core(), project, ref))
    text = request.form.get("content", "").replace("\r\n", "\n")
    return _page(project, ref, text, lint_content(core(), project, text, ref, user=user))


def _page(project: Project, ref: str, text: str, found: Compilation | None = None) -> str:
    g.section = "pipelines"
    lines = text.split("\n")
    said = [_shown(one, lines, project) for one in (*found.errors, *found.warnings)] if found else []
    return render_template("pipelines/lint.html", project=project, ref=ref, text=text, found=found, said=said)


def _shown(diagnostic: Diagnostic, lines: list[str], project: Project) -> Shown:
    if diagnostic.file != project.config_path or diagnostic.line > len(lines):
        return Shown(diagnostic)
    line, at = lines[diagnostic.line - 1][:LONGEST_LINE], diagnostic.column - 1
    return Shown(diagnostic, line[:at], line[at:])
