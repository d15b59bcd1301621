"""One job: how it stands, and what can be done with it."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, signed_in, visitor
from app.dashboard.in_place import in_place
from app.dashboard.job_log import log_tail
from app.dashboard.pipeline_part import back_to_pipeline
from app.dashboard.play_variables import inputs_of, inputs_of_form, variables_of_form
from app.dashboard.redirects import safe_next
from app.dashboard.schedule_form import text_of
from app.dashboard.sentences import job_sentence
from app.domain.permissions import Action
from app.domain.status import COMPLETED
from app.http.edge import core
from app.models import Job, User
from app.services.artifacts.artifact_access import may_fetch
from app.services.artifacts.keep_artifacts import keep_artifacts
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.erase_job import erase_job
from app.services.jobs.explain_failure import explain_failure
from app.services.jobs.play_job import play_job
from app.services.jobs.retry_job import retry_job
from app.services.jobs.show_job import find_job, job_state, show_job
from app.services.jobs.unschedule_job import unschedule_job
from app.services.pipelines.kept_variables import open_variables
from app.services.pipelines.require_variables import may_give_variables
from app.services.pipelines.show_relations import show_relations
from app.services.reports.show_tests import job_tests


@pages.get("/<project:path>/-/jobs/<key:job_id>")
def job(path: str, job_id: int) -> ResponseReturnValue:
    project = open_project(path, Action.READ_JOB)
    state = job_state(core(), job_id)
    view = show_job(core(), project, job_id)
    failure = explain_failure(core(), view.job, visitor())
    g.section = "pipelines"
    return render_template(
        "jobs/show.html",
        project=project,
        view=view,
        relations=show_relations(core(), view.job.pipeline, [view.job], visitor()),
        job=view.job,
        pipeline=view.job.pipeline,
        inputs=inputs_of(view.job),
        text_of=text_of,
        variables=may_give_variables(core(), visitor(), project),
        given=[each.key for each in open_variables(core(), view.job.variables_sealed, view.job.seal_context)],
        sentence=job_sentence(view, core().now(), failure),
        failure=failure,
        version=state.version if state else "",
        live=view.job.status not in COMPLETED,
        tail=None if in_place() else log_tail(view.job),
        tests=job_tests(core(), view.job),
        fetchable=may_fetch(core(), view.job, visitor()),
    )


@pages.post("/<project:path>/-/jobs/<key:job_id>/cancel")
def cancel(path: str, job_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, job_id)
    cancel_job(core(), found, user)
    flash("The job is being canceled.", "done")
    return _to(path, job_id)


@pages.post("/<project:path>/-/jobs/<key:job_id>/retry")
def retry(path: str, job_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, job_id)
    fresh = retry_job(core(), found, user, variables_of_form(), inputs_of_form(found))
    flash("The job runs again.", "done")
    return _to(path, fresh.id)


@pages.post("/<project:path>/-/jobs/<key:job_id>/play")
def play(path: str, job_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, job_id)
    started = play_job(core(), found, user, variables_of_form(), inputs_of_form(found))
    flash("The job starts as soon as a runner is free.", "done")
    return _to(path, started.id)


@pages.post("/<project:path>/-/jobs/<key:job_id>/unschedule")
def unschedule(path: str, job_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, job_id)
    unschedule_job(core(), found, user)
    flash("The job waits for somebody to start it.", "done")
    return _to(path, job_id)


@pages.post("/<project:path>/-/jobs/<key:job_id>/erase")
def erase(path: str, job_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, job_id)
    erase_job(core(), found, user)
    flash("The job's log and artifacts are erased.", "done")
    return _to(path, job_id)


@pages.post("/<project:path>/-/jobs/<key:job_id>/artifacts/keep")
def keep(path: str, job_id: int) -> ResponseReturnValue:
    found, user = _to_change(path, job_id)
    keep_artifacts(core(), found, user)
    flash("The artifacts are kept until somebody erases the job.", "done")
    return redirect(safe_next(request.form.get("next"), url_for("pages.job", path=path, job_id=job_id)), 303)


def _to_change(path: str, job_id: int) -> tuple[Job, User]:
    """The job and who wants to change it. Whether they may is asked by the service."""
    user = signed_in()
    return find_job(core(), open_project(path, Action.READ_JOB), job_id), user


def _to(path: str, job_id: int) -> ResponseReturnValue:
    """Back to the page that the form was on, or to the job."""
    if request.form.get("stay"):
        return back_to_pipeline(path, core().session.get_one(Job, job_id).pipeline_id)
    return redirect(url_for("pages.job", path=path, job_id=job_id), 303)
