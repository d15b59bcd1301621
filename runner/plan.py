"""The plan of a pushed run (candor.md A.7): what `POST /run` is sent, checked before anything starts.

Server and runner judge plans alike; only keys that nobody knows mean nothing here. One corpus of plans tests both.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_STAGES = 200
LONGEST_NAME = 255
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class PlanError(Exception):
    """The plan cannot be run. `place` is what is wrong with it, such as `stages[1].image`; the message says why."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place = place


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
    """The plan in decoded JSON. Keys that it does not know mean nothing. Raises PlanError for the first thing that is
    wrong: its shape is looked at before what the stages say.
    """
    if not isinstance(document, Mapping):
        raise PlanError("plan", "is no object with the key `stages`")
    stages = document.get("stages")
    if not isinstance(stages, list):
        raise PlanError("stages", "is missing, or no list")
    if len(stages) > MOST_STAGES:
        raise PlanError("stages", f"has more than {MOST_STAGES} entries")
    for number, stage in enumerate(stages):
        _check_shape(stage, f"stages[{number}]")
    archive = _texts(document, "archive", "")
    for path in archive:
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise PlanError("archive", f"{path!r} leads out of the working directory")
    return RunPlan(tuple(_stage(stage, f"stages[{number}]") for number, stage in enumerate(stages)), archive)


def _check_shape(stage: Any, place: str) -> None:
    if not isinstance(stage, Mapping):
        raise PlanError(place, "is no object with `name` and `image`")
    for key in ("name", "image"):
        if not _is_text(stage.get(key)) or not stage[key].strip():
            raise PlanError(f"{place}.{key}", "is missing, or no text")
    if stage.get("runtime") is not None and not _is_text(stage["runtime"]):
        raise PlanError(f"{place}.runtime", "is no text and not null")
    for key in ("environment", "script"):
        _texts(stage, key, f"{place}.")


def _stage(stage: Mapping[str, Any], place: str) -> PlanStage:
    name, image = stage["name"], stage["image"]
    if len(name) > LONGEST_NAME:
        raise PlanError(f"{place}.name", f"is longer than {LONGEST_NAME} characters")
    if any(character.isspace() for character in image) or image.startswith("-"):
        raise PlanError(f"{place}.image", f"{image!r} is no image name")
    entries = [entry for entry in _texts(stage, "environment", f"{place}.") if entry]
    environment = tuple(_variable(entry, f"{place}.environment") for entry in entries)
    return PlanStage(name, image, stage.get("runtime") or "", environment, _texts(stage, "script", f"{place}."))


def _variable(entry: str, place: str) -> tuple[str, str]:
    """`KEY=VALUE`; without a value the key is its own."""
    key, _, value = entry.partition("=")
    if not _KEY.fullmatch(key):
        raise PlanError(place, f"{key!r} is no name of an environment variable")
    return key, value or key


def _texts(table: Mapping[str, Any], key: str, prefix: str) -> tuple[str, ...]:
    value = table.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(_is_text(one) for one in value):
        raise PlanError(f"{prefix}{key}", "is no list of texts and not null")
    return tuple(value)


def _is_text(value: Any) -> bool:
    """No program takes NUL in a text that it is given."""
    return isinstance(value, str) and "\0" not in value
