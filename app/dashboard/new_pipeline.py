"""Start a pipeline by hand."""

from collections.abc import Sequence

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in
from app.dashboard.error_pages import sentence
from app.dashboard.play_variables import variables_of_form
from app.dashboard.schedule_form import text_of
from app.dialects.base import DeclaredInput
from app.domain.errors import InvalidConfiguration, InvalidRequest, NotFound
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Project
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.pipeline_inputs import inputs_of_ref
from app.services.pipelines.request_for_ref import request_for_ref


@pages.get("/<project:path>/-/pipelines/new")
def new_pipeline(path: str) -> ResponseReturnValue:
    signed_in()
    project = open_project(path, Action.CREATE_PIPELINE)
    return _page(project, request.args.get("ref") or project.default_branch)


@pages.post("/<project:path>/-/pipelines/new")
def start_pipeline(path: str) -> ResponseReturnValue:
    user, project = signed_in(), open_project(path, Action.CREATE_PIPELINE)
    ref = request.form.get("ref", "").strip()
    if "show" in request.form:
        return _page(project, ref)
    try:
        wanted = request_for_ref(
            core(),
            project,
            ref,
            user,
            source="web",
            variables=variables_of_form(),
            inputs=_inputs(inputs_of_ref(core(), project, ref, user)),
        )
        made = run_pipeline(core(), wanted)
    except InvalidConfiguration as error:
        said = [str(getattr(found, "message", found)) for found in error.diagnostics] or [str(error)]
        return _page(project, ref, ("ref", "The configuration is broken there: " + "; ".join(said))), 422
    except (InvalidRequest, NotFound) as error:
        return _page(project, ref, (getattr(error, "field", None) or "ref", sentence(error))), 422
    return redirect(url_for("pages.pipeline", path=project.full_path, pipeline_id=made.id), 303)


def _inputs(declared: Sequence[DeclaredInput]) -> dict[str, object]:
    """What was filled in. What is as the configuration has it by itself is left to it."""
    filled = {each.name: request.form.get(f"input:{each.name}") for each in declared}
    defaults = {each.name: "" if each.required else text_of(each.default) for each in declared}
    return {name: text for name, text in filled.items() if text is not None and text != defaults[name]}


def _page(project: Project, ref: str, error: tuple[str, str] | None = None) -> str:
    g.section = "pipelines"
    inputs = [
        (each, request.form.get(f"input:{each.name}", "" if each.required else text_of(each.default)))
        for each in inputs_of_ref(core(), project, ref, signed_in())
    ]
    return render_template("pipelines/new.html", project=project, ref=ref, inputs=inputs, text_of=text_of, error=error)
