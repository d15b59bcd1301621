"""The one sentence at the top of a job and of a pipeline: why it waits, why it failed, or how it stands."""

from collections.abc import Sequence
from datetime import datetime

from app.dashboard.wording import age, duration, elapsed, visible
from app.domain.failure import SCRIPT_FAILURE, explain
from app.models import Job, JobStep, Pipeline
from app.services.jobs.show_job import JobView
from app.services.pipelines.show_pipeline import PipelineView

_NAMES_SHOWN = 4


def job_sentence(view: JobView, now: datetime) -> str:
    """What somebody who opens the job wants to know first. Plain text."""
    job = view.job
    if job.erased_at:
        return f"{_ended(job, now)} Its log and artifacts were erased {age(job.erased_at, now)}."
    if job.status == "failed":
        return _failed(job, view.steps)
    if job.status == "created" and view.waits_for:
        return f"Waits for {_names(view.waits_for)} to end."
    if view.held_up:
        return _sentence(visible(view.held_up))
    if job.status == "running":
        return _running(job, view.steps, now)
    return _waiting(job, now) or _ended(job, now)


def _waiting(job: Job, now: datetime) -> str:
    if job.status == "scheduled" and job.scheduled_at:
        return f"Starts by itself {age(job.scheduled_at, now)}."
    plain = {
        "created": "Waits for earlier jobs.",
        "pending": "Waits for a runner.",
        "preparing": "Is being prepared.",
        "waiting_for_resource": "Waits for a resource that another job holds.",
        "waiting_for_callback": "Waits for an answer from outside.",
        "manual": "Waits for somebody to start it.",
    }.get(job.status, "")
    return _sentence(visible(job.waiting_reason)) if plain and job.waiting_reason else plain


def _running(job: Job, steps: Sequence[JobStep], now: datetime) -> str:
    where = f" on runner {visible(job.runner.description) or '#' + str(job.runner.id)}" if job.runner else ""
    at_work = next((step for step in steps if step.status == "running"), None)
    step = f", at step {visible(at_work.name)}" if at_work else ""
    return f"Runs{where}{step}."


def _ended(job: Job, now: datetime) -> str:
    took = duration(elapsed(job.started_at, job.finished_at, now))
    words = {
        "success": f"Passed in {took}." if took else "Passed.",
        "canceled": f"Was canceled after {took}." if took else "Was canceled before it ran.",
        "canceling": "Is being canceled: what the job does afterwards still runs.",
        "skipped": "Was skipped, because an earlier job did not pass.",
        "failed": "Failed.",
    }
    return words.get(job.status, "Runs.")


def _failed(job: Job, steps: Sequence[JobStep]) -> str:
    step = next((step for step in steps if step.status == "failed"), None)
    where = f"Step {visible(step.name)}" if step else "The script"
    code = step.exit_code if step and step.exit_code is not None else job.exit_code
    if job.failure_reason == SCRIPT_FAILURE and code is not None:
        said = f"{where} failed with exit code {code}."
    else:
        said = explain(job.failure_reason).sentence
        if step:
            said += f" It was at step {visible(step.name)}."
        if code is not None:
            said += f" Exit code {code}."
    if job.failure_message:
        said += f" {_sentence(visible(job.failure_message.strip()))}"
    return said + (" The job is allowed to fail." if job.allow_failure else "")


def pipeline_sentence(view: PipelineView, now: datetime) -> str:
    """How the pipeline stands. Plain text."""
    pipeline, jobs = view.pipeline, view.jobs
    if pipeline.failure_reason == "config_error" or (pipeline.yaml_errors and not jobs):
        return "The configuration is broken, so there are no jobs."
    if pipeline.status == "failed":
        failed = [job.name for job in jobs if job.status == "failed" and not job.allow_failure]
        return f"{_names(failed)} failed." if failed else "Failed."
    if pipeline.status == "running":
        done = sum(job.status in ("success", "failed", "canceled", "skipped") for job in jobs)
        at_work = [job.name for job in jobs if job.status == "running"]
        return f"{done} of {len(jobs)} jobs are done" + (f"; {_names(at_work)} at work." if at_work else ".")
    if pipeline.status in ("pending", "waiting_for_resource", "preparing", "created"):
        reason = next((job.waiting_reason for job in jobs if job.waiting_reason), None)
        reason = reason or next(iter(view.held_up.values()), None)
        return _sentence(visible(reason)) if reason else "Waits for a runner."
    if pipeline.status == "manual":
        waiting = [job.name for job in jobs if job.status == "manual"]
        return f"Waits for somebody to start {_names(waiting)}." if waiting else "Waits for somebody."
    return _pipeline_ended(pipeline, jobs, now)


def _pipeline_ended(pipeline: Pipeline, jobs: Sequence[Job], now: datetime) -> str:
    took = duration(elapsed(pipeline.started_at, pipeline.finished_at, now))
    if pipeline.status == "success":
        warned = [job.name for job in jobs if job.status in ("failed", "canceled")]
        return f"Passed{f' in {took}' if took else ''}" + (f"; {_names(warned)} did not, and may." if warned else ".")
    words = {
        "canceled": _canceled(pipeline),
        "canceling": "Is being canceled.",
        "skipped": "Was skipped.",
        "scheduled": "Waits for a delayed job.",
    }
    return words.get(pipeline.status, "")


def _canceled(pipeline: Pipeline) -> str:
    if pipeline.auto_canceled_by_id is None:
        return "Was canceled."
    return f"Was canceled, because the newer pipeline #{pipeline.auto_canceled_by_id} replaced it."


def _names(names: Sequence[str]) -> str:
    shown = [visible(name) for name in names[:_NAMES_SHOWN]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else text + "."
