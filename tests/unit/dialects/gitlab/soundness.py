"""What holds for every plan that the compiler makes."""

from app.domain.plan import Plan
from app.domain.processing import JobState, process


def assert_sound(plan: Plan) -> None:
    """Names are unique, stages are those used, needs are there and lead to no circle, and something starts."""
    by_name = {job.name: job for job in plan.jobs}
    assert len(by_name) == len(plan.jobs)
    assert {job.stage for job in plan.jobs} == set(plan.stages)
    ids = {name: number for number, name in enumerate(by_name)}
    states = [
        JobState(
            ids[job.name],
            job.name,
            plan.stages.index(job.stage),
            "created",
            job.when,
            job.allow_failure,
            None if job.needs is None else tuple(ids[need.job] for need in job.needs),
            job.start_in,
        )
        for job in plan.jobs
    ]
    assert process(states)
