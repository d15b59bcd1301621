"""Which variables rules and names may use, and with which values (gitlab.md A.8, C.4)."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from app.dialects.base import CompileContext
from app.domain import refs
from app.domain.errors import LimitExceeded
from app.domain.plan import Variable
from app.domain.variables import references, sort_and_expand

MOST_EXPANDED = 64 * 1024 * 1024
_SHORT_SHA = 8


def merge(*layers: Iterable[Variable]) -> tuple[Variable, ...]:
    """Variables with each key once: later layers win, and keep the place of the key that they replace."""
    merged: dict[str, Variable] = {}
    for layer in layers:
        merged |= {found.key: found for found in layer}
    return tuple(merged.values())


def predefined(context: CompileContext) -> dict[str, str]:
    """The CI_* variables that follow from the context alone, under those that the context names itself."""
    merge_request = context.source == "merge_request_event"
    found = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": context.source,
        "CI_COMMIT_REF_NAME": context.ref,
        "CI_COMMIT_REF_SLUG": refs.slug(context.ref),
        "CI_COMMIT_SHA": context.sha,
        "CI_COMMIT_SHORT_SHA": context.sha[:_SHORT_SHA],
        "CI_DEFAULT_BRANCH": context.default_branch,
        "CI_PROJECT_PATH": context.project_path,
    }
    if context.tag:
        found["CI_COMMIT_TAG"] = context.ref
    elif not merge_request:
        found["CI_COMMIT_BRANCH"] = context.ref
    return {**found, **context.predefined}


def masked(text: str, context: CompileContext) -> str:
    """`text`, for a message, without the values of masked variables."""
    for key in context.masked:
        value = context.variables.get(key)
        if value:
            text = text.replace(value, "x" * len(value))
    return text


def for_job(name: str, group: str, stage: str, index: int | None, total: int) -> dict[str, str]:
    """The predefined variables of one job that rules can see."""
    found = {
        "CI_JOB_NAME": name,
        "CI_JOB_NAME_SLUG": re.sub(r"[^a-z0-9]", "-", name.lower())[:63].strip("-"),
        "CI_JOB_GROUP_NAME": group,
        "CI_JOB_STAGE": stage,
        "CI_NODE_TOTAL": str(total),
    }
    return found if index is None else {**found, "CI_NODE_INDEX": str(index)}


def values_of(*layers: Mapping[str, str] | Iterable[Variable]) -> dict[str, str]:
    """All variables as they stand, unexpanded; later layers win."""
    found: dict[str, str] = {}
    for layer in layers:
        found |= layer if isinstance(layer, Mapping) else {variable.key: variable.value for variable in layer}
    return found


def _raw_keys(own: tuple[Variable, ...], context: CompileContext) -> frozenset[str]:
    """The keys whose values are never expanded: the context's variables win over a job's own, its predefined do not."""
    mine = {variable.key: variable.raw for variable in own if variable.key not in context.variables}
    return (context.raw - mine.keys()) | {key for key, raw in mine.items() if raw}


class Expander:
    """Expands the variables of many jobs, and stops when all of them together have grown beyond a bound."""

    def __init__(self) -> None:
        self._left = MOST_EXPANDED

    def expand(self, values: Mapping[str, str], raw: frozenset[str]) -> Mapping[str, str]:
        """`values` with references between them replaced, except in those that are raw."""
        written = "".join(values.values())
        if "$" not in written and "%" not in written:
            return values
        if not any(references(value) for key, value in values.items() if key not in raw):
            return values
        given = [Variable(key, value, raw=key in raw) for key, value in values.items()]
        found = {variable.key: variable.value for variable in sort_and_expand(given)}
        self._left -= sum(len(value) for key, value in found.items() if value is not values[key])
        if self._left < 0:
            raise LimitExceeded(f"The variables of all jobs grow beyond {MOST_EXPANDED} characters", MOST_EXPANDED)
        return found


class Known:
    """The variables that one job's rules can see: `values` as written, for `if`, and expanded, for everything else."""

    def __init__(
        self,
        values: Mapping[str, str],
        own: Iterable[Variable],
        expander: Expander,
        context: CompileContext | None = None,
    ) -> None:
        self.values = values
        self._raw = _raw_keys(tuple(own), context or CompileContext())
        self._expander = expander

    @cached_property
    def expanded(self) -> Mapping[str, str]:
        """Raises CircularReference or LimitExceeded."""
        return self._expander.expand(self.values, self._raw)
