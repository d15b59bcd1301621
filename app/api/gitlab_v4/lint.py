"""Checking configurations before they are committed."""

from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.params import Kind, Param
from app.domain.permissions import Action
from app.domain.plan import JobPlan
from app.services.pipelines.lint_content import lint_content

routes = Routes()


@routes.post(
    "/projects/<id>/ci/lint",
    params=(
        Param("content", required=True),
        Param("ref", help="Whose files are included: the default branch"),
        Param("dry_run", Kind.BOOLEAN, default=False, help="Accepted; every check is a simulation of a push"),
        Param("include_jobs", Kind.BOOLEAN, default=False),
    ),
    status=200,
)
def lint(call: Call) -> dict[str, Any]:
    """Check a configuration"""
    project = call.project(Action.LINT)
    compiled = lint_content(call.core, project, call.params["content"], call.params.get("ref"))
    answer: dict[str, Any] = {
        "valid": not compiled.errors,
        "errors": [str(found) for found in compiled.errors],
        "warnings": [str(found) for found in compiled.warnings],
        "merged_yaml": compiled.merged,
        "includes": [],
    }
    if call.params["include_jobs"]:
        answer["jobs"] = [_job(job) for job in (compiled.plan.jobs if compiled.plan else ())]
    return answer


def _job(job: JobPlan) -> dict[str, Any]:
    """A job as it would run: what comes before its script is part of that."""
    lines: dict[str, list[str]] = {"script": [], "after_script": []}
    for step in job.steps:
        lines["after_script" if step.phase == "after_script" else "script"] += step.script
    return {
        "name": job.name,
        "stage": job.stage,
        "before_script": [],
        **lines,
        "tag_list": list(job.tags),
        "environment": None,
        "when": job.when,
        "allow_failure": job.allow_failure,
        "needs": None if job.needs is None else [{"name": need.job, "artifacts": need.artifacts} for need in job.needs],
        "only": None,
        "except": None,
    }
