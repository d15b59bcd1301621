"""Values for a job's inputs, from whoever starts it or runs it again."""

from collections.abc import Mapping
from types import MappingProxyType

import re2

from app.domain import job_inputs, plan_json
from app.domain.job_inputs import JobInput
from app.models import Job

NOTHING: Mapping[str, object] = MappingProxyType({})


def declared_inputs(job: Job) -> tuple[JobInput, ...]:
    """The inputs of `job` with the values that they have now."""
    return tuple(plan_json.from_json(JobInput, item) for item in job.plan.get("inputs", ()))


def matches(regex: str, text: str) -> bool:
    """Whether a pattern that was checked when it was compiled is found in `text`."""
    return re2.compile(regex).search(text) is not None


def give_inputs(job: Job, values: Mapping[str, object]) -> None:
    """*In a write*, with `job` held: give its inputs these values. Raises InvalidRequest (`job_inputs.given`)."""
    if values:
        chosen = job_inputs.given(declared_inputs(job), values, matches)
        job.plan = {**job.plan, "inputs": [plan_json.to_json(each) for each in chosen]}
