"""The plan of a pushed run (candor.md A.7): what `POST /run` is sent, checked before anything starts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_STAGES = 200
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class PlanError(Exception):
    """The plan cannot be run; the message says why."""


@dataclass(frozen=True, slots=True)
class PlanStage:
    """One stage. `environment` are (key, value); an empty `script` runs the image's own command."""

    name: str
    image: str
    runtime: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    script: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All stages in order, and the files to archive when all have passed."""

    stages: tuple[PlanStage, ...]
    archive: tuple[str, ...] = ()


def is_run_id(text: str) -> bool:
    """Whether `text` can name a run, and its log: it is no path."""
    return _RUN_ID.fullmatch(text) is not None


def parse_plan(document: Any) -> RunPlan:
    """The plan in decoded JSON. Keys that it does not know mean nothing. Raises PlanError."""
    if not isinstance(document, Mapping):
        raise PlanError("the plan is no object")
    stages = document.get("stages")
    if not isinstance(stages, list) or len(stages) > MOST_STAGES:
        raise PlanError(f"`stages` is no list of at most {MOST_STAGES} stages")
    archive = _texts(document, "archive")
    for path in archive:
        if not path or path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise PlanError(f"{path!r} leads out of the working directory")
    return RunPlan(tuple(_stage(stage) for stage in stages), archive)


def _stage(stage: Any) -> PlanStage:
    if not isinstance(stage, Mapping):
        raise PlanError("a stage is no object")
    name, image, runtime = stage.get("name"), stage.get("image"), stage.get("runtime")
    if not isinstance(name, str) or not name.strip() or not isinstance(image, str) or not image.strip():
        raise PlanError("a stage has no name or no image")
    if any(character.isspace() or character == "\0" for character in image) or image.startswith("-"):
        raise PlanError(f"{image!r} is no image name")
    if runtime is not None and not isinstance(runtime, str):
        raise PlanError("a stage's runtime is no text")
    environment = tuple(_variable(entry) for entry in _texts(stage, "environment") if entry)
    return PlanStage(name, image, runtime or "", environment, _texts(stage, "script"))


def _variable(entry: str) -> tuple[str, str]:
    """`KEY=VALUE`; without a value the key is its own."""
    key, _, value = entry.partition("=")
    if not _KEY.fullmatch(key):
        raise PlanError(f"{key!r} is no name of an environment variable")
    return key, value or key


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
        raise PlanError(f"`{key}` is no list of texts")
    return tuple(value)
