"""The form of a schedule: from the row to what is shown, and from what was filled in to what is asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from app.domain.errors import InvalidRequest, SkerryError
from app.domain.plan import Variable
from app.models import PipelineSchedule
from app.services.schedules.save_schedule import Draft
from app.services.schedules.schedule_ref import split_ref
from app.services.schedules.schedule_variables import check
from app.services.schedules.show_schedules import inputs_of

#: What the fields hold; `inputs` are pairs of texts.
Values = dict[str, Any]
BLANK: Values = {"description": "", "cron": "", "cron_timezone": "UTC", "ref": "", "active": True, "inputs": []}
_TEXTS = ("description", "cron", "cron_timezone", "ref")


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in. `variables` are those that the schedule shall have: old ones keep a value left empty."""

    values: Values
    variables: list[Variable]

    def check(self) -> None:
        """Raises InvalidRequest for what the service would only refuse after the schedule was saved."""
        for variable in self.variables:
            check(variable)
        for name in _TEXTS:
            if not self.values[name]:
                raise InvalidRequest("can't be blank", name)

    def draft(self, old: PipelineSchedule | None) -> Draft:
        """What to make of it, or of `old`: what was not touched keeps its type and its full name."""
        before = inputs_of(old) if old else {}
        given = dict(self.values["inputs"])
        inputs: list[dict[str, Any]] = [{"name": name, "destroy": True} for name in before if name not in given]
        for name, text in given.items():
            same = name in before and text_of(before[name]) == text
            inputs.append({"name": name, "value": before[name] if same else text})
        texts = {name: self.values[name] for name in _TEXTS}
        if old and texts["ref"] == split_ref(old.ref)[0]:
            texts["ref"] = old.ref
        return Draft(**texts, active=self.values["active"], inputs=inputs)


def form_of(schedule: PipelineSchedule) -> Values:
    """The fields as they are shown for a schedule."""
    texts = {name: getattr(schedule, name) for name in ("description", "cron", "cron_timezone")}
    inputs = [(item["name"], text_of(item["value"])) for item in schedule.inputs]
    return texts | {"ref": split_ref(schedule.ref)[0], "active": schedule.active, "inputs": inputs}


def read_form(kept: Sequence[Variable]) -> Form:
    """The form of the current request; `kept` are the variables that the schedule has."""
    form = request.form
    values: Values = {name: form.get(name, "").strip() for name in _TEXTS}
    values |= {"active": "active" in form, "inputs": _pairs("input")}
    old = {variable.key: variable for variable in kept}
    variables = {}
    for key, value in _pairs("key"):
        before = old.get(key, Variable(key, "", public=False))
        variables[key] = replace(before, value=value) if value or key not in old else before
    return Form(values, list(variables.values()))


def text_of(value: object) -> str:
    """An input as a text: as it is, or as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def explain(error: SkerryError) -> tuple[str, str]:
    """(field, sentence) for the form."""
    field = getattr(error, "field", None) or "base"
    if field == "cron":
        return field, "This is no time as cron knows it: five fields, such as 0 1 * * *."
    if field == "cron_timezone":
        return field, "There is no such time zone. Write it as Europe/Berlin or America/New_York."
    text = str(error).strip().rstrip(".")
    return field, f"{text}." if field == "base" else f"{field.capitalize()} {text}."


def _pairs(name: str) -> list[tuple[str, str]]:
    """The rows of a name and a value, those without a name left out."""
    rows = zip(request.form.getlist(name), request.form.getlist(f"{name}_value"), strict=False)
    return [(key.strip(), value) for key, value in rows if key.strip()]
