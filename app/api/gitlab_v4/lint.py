"""Checking configurations, before and after they are committed (gitlab.md B.11)."""

from typing import Any
from urllib.parse import quote

from app.api.gitlab_v4.endpoint import Call, Routes
from app.api.gitlab_v4.params import Kind, Param
from app.dialects.base import Compilation
from app.dialects.sources import Included
from app.domain.permissions import Action
from app.domain.plan import JobPlan
from app.services.core import Core
from app.services.pipelines.lint_content import lint_committed, lint_content

routes = Routes()
_DRY_RUN = Param("dry_run", Kind.BOOLEAN, default=False, help="Accepted; every check is a simulation of a push")
_INCLUDE_JOBS = Param("include_jobs", Kind.BOOLEAN, default=False)


@routes.post(
    "/projects/<id>/ci/lint",
    params=(
        Param("content", required=True),
        Param("ref", help="Whose files are included: the default branch"),
        _DRY_RUN,
        _INCLUDE_JOBS,
    ),
    status=200,
)
def lint(call: Call) -> dict[str, Any]:
    """Check a configuration"""
    project = call.project(Action.LINT)
    compiled = lint_content(call.core, project, call.params["content"], call.params.get("ref"), user=call.user)
    return _answer(call.core, compiled, call.params["include_jobs"])


@routes.get(
    "/projects/<id>/ci/lint",
    params=(
        Param("content_ref", help="The branch, tag or commit whose configuration it is: the default branch"),
        Param("sha", help="An older name of `content_ref`"),
        Param("dry_run_ref", help="The branch or tag whose pipeline it would be"),
        Param("ref", help="An older name of `dry_run_ref`"),
        _DRY_RUN,
        _INCLUDE_JOBS,
    ),
)
def lint_existing(call: Call) -> dict[str, Any]:
    """Check the configuration that is committed"""
    project, given = call.project(Action.LINT), call.params
    content_ref, ref = given.get("content_ref") or given.get("sha"), given.get("dry_run_ref") or given.get("ref")
    compiled = lint_committed(call.core, project, content_ref, ref, user=call.user)
    return _answer(call.core, compiled, given["include_jobs"])


def _answer(core: Core, compiled: Compilation, include_jobs: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "valid": not compiled.errors,
        "errors": [str(found) for found in compiled.errors],
        "warnings": [str(found) for found in compiled.warnings],
        "merged_yaml": compiled.merged,
        "includes": [_include(core, found) for found in compiled.included],
    }
    if include_jobs:
        answer["jobs"] = [_job(job) for job in (compiled.plan.jobs if compiled.plan else ())]
    return answer


def _include(core: Core, found: Included) -> dict[str, Any]:
    """A file that was included. Where GitLab says so, with the addresses that it has in its project, or elsewhere."""
    place = f"{core.config.external_url}/{found.project}/-/{{}}/{found.sha}/{quote(found.path or '')}"
    in_project = found.project is not None and found.path is not None
    raw = place.format("raw") if in_project and found.type != "component" else None
    return {
        "type": found.type,
        "location": found.location,
        "blob": place.format("blob") if in_project else None,
        "raw": found.location if found.type == "remote" else raw,
        "extra": dict(found.extra),
        "context_project": found.context_project,
        "context_sha": found.context_sha,
    }


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
