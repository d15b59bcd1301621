"""What a job asks of its runner, in the words of the features that runners name (gitlab.md A.2)."""

from app.domain.plan import JobPlan

#: Our own runner's: everything that a plan can say of steps (design, "The plan").
STEPS = "skerry_steps"


def required_features(plan: JobPlan) -> list[str]:
    """The features that a runner must have to be handed this job, sorted.

    What a runner lacks it would pass over in silence: a report is never uploaded, an exit code never told. Our own
    runner, the only one with `skerry_steps`, lacks none of these.
    """
    if _beyond_stock(plan):
        return [STEPS]
    needed = {
        "upload_multiple_artifacts": any(spec.file_type != "archive" for spec in plan.artifacts),
        "artifacts_exclude": any(spec.exclude for spec in plan.artifacts),
        "multi_build_steps": sum(step.phase == "script" and step.own_shell for step in plan.steps) > 1,
        "return_exit_code": bool(plan.allow_failure_exit_codes or plan.retry.exit_codes),
        "fallback_cache_keys": any(spec.fallback_keys for spec in plan.cache),
    }
    return sorted(name for name, is_needed in needed.items() if is_needed)


def _beyond_stock(plan: JobPlan) -> bool:
    """Whether no stock runner can run the job as it is planned."""
    return (
        plan.workspace is not None
        or any(spec.required for spec in plan.artifacts)
        or any(
            step.image is not None
            or step.runtime is not None
            or not (step.own_shell and step.errexit and step.pipefail)
            or step.verbatim
            or step.environment
            for step in plan.steps
        )
    )
