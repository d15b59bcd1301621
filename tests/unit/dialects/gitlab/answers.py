"""What the compiler says to a few lines of configuration, in the form of the tables of these tests."""

from typing import Any

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import compile_text
from app.domain.plan_json import to_json


def compiled(text: str, **context: Any) -> Compilation:
    return compile_text("f", text, CompileContext(**context))


def errors(text: str, **context: Any) -> list[str]:
    """All errors as `line:column: message`."""
    return [str(found).removeprefix("f:") for found in compiled(text, **context).errors]


def warnings(text: str, **context: Any) -> list[str]:
    return [str(found).removeprefix("f:") for found in compiled(text, **context).warnings]


def jobs(text: str, **context: Any) -> dict[str, dict[str, Any]]:
    """The jobs by name, each as its plan has it as JSON: a field with its default is not there."""
    found = compiled(text, **context)
    assert not found.errors
    return {} if found.plan is None else {job["name"]: job for job in to_json(found.plan)["jobs"]}


def job(text: str, **context: Any) -> dict[str, Any]:
    """The only job."""
    (found,) = jobs(text, **context).values()
    return found
