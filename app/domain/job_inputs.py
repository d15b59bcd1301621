"""Inputs of a job: values that stand for `${{ job.inputs.name }}` in what the runner is told (gitlab.md A.3.1, C.2).

Every input has a value from the start; whoever starts the job by hand, or runs it again, may give another that fits.
The blocks stay in the job's plan until a runner gets it.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.errors import InvalidRequest

KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}
LONGEST = 64 * 1024
"""How many characters a value may have as JSON."""

Matches = Callable[[str, str], bool]
"""Whether an RE2 pattern is found in a text."""

_BLOCK = re.compile(r"\$\{\{\s*job\.inputs\.([A-Za-z0-9_-]+)\s*\}\}")
#: What of a plan a block may stand in: how the runner has to run the job.
_FILLED = ("steps", "image", "services", "artifacts", "cache")


@dataclass(frozen=True, slots=True)
class JobInput:
    """One input of a job. `value` and each of `options` are JSON; `kind` is one of KINDS; `regex` is RE2's."""

    name: str
    value: str
    kind: str = "string"
    options: tuple[str, ...] = ()
    regex: str | None = None
    description: str = ""


def problem(
    value: object, kind: str, options: Collection[object] | None, regex: str | None, matches: Matches
) -> str | None:
    """What is wrong with `value` for an input like that; it follows "value" in a sentence. None: nothing."""
    if isinstance(value, bool) != (kind == "boolean") or not isinstance(value, KINDS[kind]):
        return f"is not {'an' if kind == 'array' else 'a'} {kind}"
    if options is not None and not all(item in options for item in (value if isinstance(value, list) else [value])):
        return "is not in the list of allowed options"
    if regex is not None and not matches(regex, str(value)):
        return "does not match required RegEx pattern"
    return None


def given(declared: tuple[JobInput, ...], values: Mapping[str, object], matches: Matches) -> tuple[JobInput, ...]:
    """`declared` with these `values`; a text stands for a number, a boolean or a list too, as forms send it.

    Raises InvalidRequest for a name that is not declared and for a value that does not fit.
    """
    if unknown := sorted(set(values) - {each.name for each in declared}):
        raise InvalidRequest(f"Unknown input{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}")
    return tuple(_with(each, values[each.name], matches) if each.name in values else each for each in declared)


def _with(declared: JobInput, value: object, matches: Matches) -> JobInput:
    if isinstance(value, str) and declared.kind != "string":
        value = _from_json(value)
    options = [json.loads(option) for option in declared.options] or None
    wrong = problem(value, declared.kind, options, declared.regex, matches)
    if wrong:
        raise InvalidRequest(f"`{declared.name}` input: provided value {wrong}")
    written = json.dumps(value, ensure_ascii=False)
    if len(written) > LONGEST:
        raise InvalidRequest(f"`{declared.name}` input: provided value is longer than {LONGEST} characters")
    return replace(declared, value=written)


def _from_json(text: str) -> object:
    try:
        return json.loads(text[: LONGEST + 1])
    except (ValueError, RecursionError):
        return text


def as_text(value: str) -> str:
    """What stands in the place of a block for the JSON `value`: a text as it is, anything else as JSON."""
    read = json.loads(value)
    return read if isinstance(read, str) else value


def filled(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A job's plan as JSON, with its inputs in their places. A block of an unknown name stays as it is."""
    known = {item["name"]: as_text(item["value"]) for item in plan.get("inputs", ())}
    if not known:
        return dict(plan)
    return {**plan, **{key: _walk(plan[key], known) for key in _FILLED if key in plan}}


def _walk(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _BLOCK.sub(lambda match: known.get(match[1], match[0]), value)
    if isinstance(value, list):
        return [_walk(item, known) for item in value]
    return {key: _walk(item, known) for key, item in value.items()} if isinstance(value, dict) else value


def used(plan: Mapping[str, Any]) -> set[str]:
    """The names that blocks in a job's plan, as JSON, ask for."""
    return set(_BLOCK.findall(json.dumps([plan.get(key) for key in _FILLED], ensure_ascii=False)))
