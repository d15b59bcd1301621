"""What the forms take that start something: rows of KEY and VALUE, and a job's inputs."""

import json

from flask import request

from app.dashboard.schedule_form import text_of
from app.dialects.base import DeclaredInput
from app.domain.errors import InvalidRequest
from app.domain.job_inputs import JobInput
from app.domain.plan import Variable
from app.domain.variables import valid_key
from app.models import Job
from app.services.jobs.give_inputs import declared_inputs

MOST = 100


def variables_of_form() -> list[Variable]:
    """What was filled in; rows without a key are left out. Raises InvalidRequest."""
    pairs = zip(request.form.getlist("key"), request.form.getlist("value"), strict=False)
    found = {key.strip(): value for key, value in pairs if key.strip()}
    if wrong := [key for key in found if not valid_key(key)]:
        raise InvalidRequest(f"{wrong[0]!r} cannot name a variable: use letters, digits and underscores", "key")
    if len(found) > MOST:
        raise InvalidRequest(f"at most {MOST} variables", "key")
    return [Variable(key, value, public=False) for key, value in found.items()]


def inputs_of(job: Job) -> list[tuple[DeclaredInput, str]]:
    """The job's inputs for a form, each with the text of the value that it has now."""
    return [(_declared(each), text_of(json.loads(each.value))) for each in declared_inputs(job)]


def _declared(given: JobInput) -> DeclaredInput:
    return DeclaredInput(
        given.name,
        kind=given.kind,
        default=json.loads(given.value),
        options=tuple(json.loads(option) for option in given.options),
        description=given.description,
    )


def inputs_of_form(job: Job) -> dict[str, object]:
    """The values that were filled in for the job's inputs, as texts."""
    filled = {each.name: request.form.get(f"input:{each.name}") for each in declared_inputs(job)}
    return {name: text for name, text in filled.items() if text is not None}
