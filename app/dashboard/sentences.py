"""The one sentence at the top of a job and of a pipeline: why it waits, why it failed, or how it stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from app.dashboard.wording import age, duration, elapsed, full_time, visible
from app.domain.exit_codes import meaning
from app.domain.failure import SCRIPT_FAILURE, explain
from app.domain.log_ending import Ending
from app.domain.status import COMPLETED
from app.models import Job, JobStep, Pipeline
from app.services.jobs.explain_failure import Failure
from app.services.jobs.show_job import JobView
from app.services.pipelines.show_pipeline import PipelineView

_NAMES_SHOWN = 4
_NO_FAILURES: Mapping[int, Failure] = MappingProxyType({})


def job_sentence(view: JobView, now: datetime, failure: Failure | None = None) -> str:
    """What somebody who opens the job wants to know first. Plain text. `failure`: where it failed, as far as known."""
    job = view.job
    if job.erased_at:
        return f"{_ended(job, now)} Its log and artifacts were erased {age(job.erased_at, now)}."
    if job.status == "failed":
        return _failed(job, view.steps, failure.ending if failure else None)
    if job.status == "created" and view.waits_for:
        return f"Waits for {_names(view.waits_for)} to end{_by_hand(view)}."
    if view.held_up:
        return _sentence(visible(view.held_up))
    if job.status == "running":
        return _running(job, view.steps, now)
    return _waiting(job, now) or _ended(job, now)


def _waiting(job: Job, now: datetime) -> str:
    if job.status == "scheduled" and job.scheduled_at:
        return f"Is delayed: starts by itself {age(job.scheduled_at, now)}, at {full_time(job.scheduled_at)}."
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


def _by_hand(view: JobView) -> str:
    """Whom it waits for in the end: jobs before it that somebody has to start."""
    manual = [job.name for job in view.neighbours if job.name in view.waits_for and job.status == "manual"]
    if not manual:
        return ""
    which = "which" if manual == view.waits_for else f"of which {_names(manual)}"
    return f", {which} somebody has to start"


def _failed(job: Job, steps: Sequence[JobStep], ending: Ending | None) -> str:
    step = next((step for step in steps if step.status == "failed"), None)
    code = step.exit_code if step and step.exit_code is not None else job.exit_code
    if job.failure_reason == SCRIPT_FAILURE and code is not None:
        where = f"Step {visible(step.name)}" if step else "The script"
        said = f"{where} failed with exit code {code}{_means(code)}{_at(ending)}."
    else:
        said = explain(job.failure_reason).sentence
        if step:
            said += f" It was at step {visible(step.name)}."
        if code is not None:
            said += f" Exit code {code}{_means(code)}."
    if job.failure_message:
        said += f" {_sentence(visible(job.failure_message.strip()))}"
    return said + (" The job is allowed to fail." if job.allow_failure else "")


def _means(code: int) -> str:
    words = meaning(code)
    return f" ({words})" if words else ""


def _at(ending: Ending | None) -> str:
    """Where in the script: the section that it had opened, and the command."""
    if ending is None:
        return ""
    section = f" in section {visible(ending.section)}" if ending.section else ""
    return section + (f" at “{visible(ending.command)}”" if ending.command else "")


def pipeline_sentence(view: PipelineView, now: datetime, failures: Mapping[int, Failure] = _NO_FAILURES) -> str:
    """How the pipeline stands, and why. Plain text. `failures`: where its jobs failed, by their ids."""
    pipeline, jobs = view.pipeline, view.jobs
    if pipeline.failure_reason == "config_error" or (pipeline.yaml_errors and not jobs):
        return "The configuration is broken, so there are no jobs."
    if pipeline.status == "failed":
        return _failed_jobs(jobs, failures)
    if pipeline.status == "running":
        return _at_work(view)
    if pipeline.status in ("pending", "waiting_for_resource", "preparing", "created"):
        return _first_reason(view) or "Waits for a runner."
    if pipeline.status == "manual":
        waiting = [job.name for job in jobs if job.status == "manual"]
        return f"Waits for somebody to start {_names(waiting)}." if waiting else "Waits for somebody."
    if pipeline.status == "scheduled":
        return _delayed(jobs, now)
    return _pipeline_ended(pipeline, jobs, now)


def _failed_jobs(jobs: Sequence[Job], failures: Mapping[int, Failure]) -> str:
    failed = [job for job in jobs if job.status == "failed" and not job.allow_failure]
    if not failed:
        return "Failed."
    first = failed[0]
    failure = failures.get(first.id)
    steps = [failure.step] if failure and failure.step else []
    why = _failed(first, steps, failure.ending if failure else None)
    if len(failed) == 1:
        return f"{visible(first.name)} failed. {why}"
    return f"{_names([job.name for job in failed])} failed. First {visible(first.name)}: {why}"


def _at_work(view: PipelineView) -> str:
    jobs = view.jobs
    done = sum(job.status in COMPLETED for job in jobs)
    said = f"{done} of {len(jobs)} jobs are done"
    at_work = [job.name for job in jobs if job.status == "running"]
    if at_work:
        said += f"; {_names(at_work)} at work"
    failed = [job.name for job in jobs if job.status == "failed" and not job.allow_failure]
    if failed:
        said += f"; {_names(failed)} failed"
    reason = None if at_work else _first_reason(view)
    return f"{said}. {reason}" if reason else f"{said}."


def _first_reason(view: PipelineView) -> str | None:
    """Why the first job that waits does so."""
    reason = next((job.waiting_reason for job in view.jobs if job.status == "pending" and job.waiting_reason), None)
    reason = reason or next(iter(view.held_up.values()), None)
    return _sentence(visible(reason)) if reason else None


def _delayed(jobs: Sequence[Job], now: datetime) -> str:
    due = sorted((job.scheduled_at, job.name) for job in jobs if job.status == "scheduled" and job.scheduled_at)
    if not due:
        return "Waits for a delayed job."
    moment, name = due[0]
    return f"Waits for {visible(name)}, which starts by itself {age(moment, now)}, at {full_time(moment)}."


def _pipeline_ended(pipeline: Pipeline, jobs: Sequence[Job], now: datetime) -> str:
    took = duration(elapsed(pipeline.started_at, pipeline.finished_at, now))
    if pipeline.status == "success":
        warned = [job.name for job in jobs if job.status in ("failed", "canceled")]
        return f"Passed{f' in {took}' if took else ''}" + (f"; {_names(warned)} did not, and may." if warned else ".")
    words = {
        "canceled": _canceled(pipeline),
        "canceling": "Is being canceled.",
        "skipped": "Was skipped.",
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
