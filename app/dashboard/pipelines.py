"""A project's pipelines, and one with its stages and jobs."""

from flask import flash, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in, visitor
from app.dashboard.job_reason import job_reason
from app.dashboard.pipeline_graph import Card, count_statuses, needed_names, pipeline_graph
from app.dashboard.pipeline_part import back_to_pipeline, part_of_request
from app.dashboard.routing import key_argument
from app.dashboard.sentences import pipeline_sentence
from app.dashboard.stream_guard import still_allowed
from app.dashboard.streams import END, Event, stream
from app.dashboard.wording import shown_status, web_address
from app.domain.permissions import Action
from app.domain.status import AVAILABLE, COMPLETED
from app.http.edge import core
from app.models import Pipeline, User
from app.services.jobs.explain_failure import explain_failures
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.require_variables import may_give_variables
from app.services.pipelines.retry_pipeline import retry_pipeline
from app.services.pipelines.show_graph import graph_version, reported_statuses, tries_of
from app.services.pipelines.show_pipeline import find_pipeline, show_pipeline
from app.services.pipelines.show_pipelines import show_pipelines
from app.services.pipelines.show_relations import show_relations
from app.services.reports.show_tests import pipeline_tests


@pages.get("/<project:path>/-/pipelines")
def pipelines(path: str) -> ResponseReturnValue:
    project = open_project(path, Action.READ_PIPELINE)
    ref, status, search = (request.args.get(name, "") for name in ("ref", "status", "search"))
    found = show_pipelines(
        core(),
        project,
        ref=ref,
        status=status if status in AVAILABLE else "",
        search=search,
        before=key_argument("before"),
        after=key_argument("after"),
    )
    g.section = "pipelines"
    chosen = {name: value for name, value in (("ref", ref), ("status", status), ("search", search)) if value}
    return render_template("pipelines/list.html", project=project, found=found, chosen=chosen)


@pages.get("/<project:path>/-/pipelines/<key:pipeline_id>")
def pipeline(path: str, pipeline_id: int) -> ResponseReturnValue:
    """One pipeline: the graph of its jobs, or (`view=list`) all of them as a table, or those of one shown status."""
    project = open_project(path, Action.READ_PIPELINE)
    # Read before the page is made: what changes meanwhile is told by the stream at once.
    version = graph_version(core(), pipeline_id)
    view = show_pipeline(core(), project, pipeline_id)
    relations = show_relations(core(), view.pipeline, view.jobs, visitor())
    reported = reported_statuses(core(), view.pipeline)
    only = request.args.get("only", "")
    g.section = "pipelines"
    failures = explain_failures(core(), view.jobs, visitor())
    return render_template(
        "pipelines/show.html",
        project=project,
        view=view,
        relations=relations,
        reported=reported,
        graph=pipeline_graph(view, relations, reported, request.args.getlist("open"), core().now()),
        rows=[job for job in view.jobs if only in ("", shown_status(job))],
        tries=tries_of(core(), view.pipeline, view.attempts),
        only=only,
        as_list=request.args.get("view") == "list",
        part=part_of_request(),
        may_give=may_give_variables(core(), visitor(), project),
        why=lambda job: job_reason(job, view),
        fold_address=lambda card: _fold_address(path, pipeline_id, card),
        by_status=count_statuses,
        needed_names=needed_names,
        web_address=web_address,
        pipeline=view.pipeline,
        sentence=pipeline_sentence(view, core().now(), failures),
        failures=failures,
        version=version,
        live=view.pipeline.status not in COMPLETED,
        tests=pipeline_tests(core(), view.pipeline),
    )


def _fold_address(path: str, pipeline_id: int, card: Card) -> str:
    """The page with the group of `card` folded where it is open, and the other way round."""
    others = [name for name in request.args.getlist("open") if name != card.name]
    opened = others if card.open else [*others, card.name]
    return url_for("pages.pipeline", path=path, pipeline_id=pipeline_id, open=opened)


@pages.get("/<project:path>/-/pipelines/<key:pipeline_id>/events")
def pipeline_events(path: str, pipeline_id: int) -> ResponseReturnValue:
    """`changed` whenever the pipeline or a job of it differs from `?version=`."""
    project = open_project(path, Action.READ_PIPELINE)
    find_pipeline(core(), project, pipeline_id)
    seen = [request.args.get("version")]

    def read() -> list[Event]:
        version = graph_version(core(), pipeline_id)
        if version is None:
            return [END]
        if version == seen[0]:
            return []
        seen[0] = version
        return [Event("changed", version)]

    return stream([f"pipeline:{pipeline_id}"], read, still_allowed(project, Action.READ_PIPELINE))


@pages.post("/<project:path>/-/pipelines/<key:pipeline_id>/cancel")
def cancel_whole_pipeline(path: str, pipeline_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, pipeline_id)
    cancel_pipeline(core(), found, user)
    flash("The pipeline is being canceled.", "done")
    return back_to_pipeline(path, pipeline_id)


@pages.post("/<project:path>/-/pipelines/<key:pipeline_id>/retry")
def retry_whole_pipeline(path: str, pipeline_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, pipeline_id)
    retry_pipeline(core(), found, user)
    flash("All jobs that failed run again.", "done")
    return back_to_pipeline(path, pipeline_id)


def _to_change(path: str, pipeline_id: int) -> tuple[Pipeline, User]:
    """The pipeline and who wants to change it. Whether they may is asked by the service."""
    user = signed_in()
    return find_pipeline(core(), open_project(path, Action.READ_PIPELINE), pipeline_id), user
