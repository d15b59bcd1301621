"""A pipeline's configuration: its plan, and on which terms a trigger starts it (candor.md A.4).

The schema is closed: a key that is not in the table is an error, at the top and in a stage.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import Any

KEYS = ("stages", "archive", "constrainHeaders", "constrainBody", "parameters")
STAGE_KEYS = ("name", "image", "runtime", "environment", "script")
NAME = re.compile(r"[a-zA-Z_-]+")
MOST_STAGES = 200
MOST_PROBLEMS = 100
"""How many problems are told. Nobody reads more, and a text can hold very many."""
LONGEST_SHOWN = 60
"""How many characters of an unknown key stand in a message."""


Problem = tuple[tuple[str | int, ...], str]
"""Where something is wrong (keys and indexes on the way to it), and what."""


class Invalid(Exception):
    """The configuration breaks the schema. `problems` are (path of keys, sentence)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{_spell(path)}: {sentence}" for path, sentence in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `runtime` None: the runner's own. An empty `script`: the image's own command."""

    name: str
    image: str
    runtime: str | None = None
    environment: tuple[str, ...] = ()
    script: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """`headers`: values of which one must arrive. `body`: JSPath → the whole list that it must find. `parameters`:
    JSPath, or None for a value that only a person gives.
    """

    stages: tuple[Stage, ...]
    archive: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str | None] = field(default_factory=dict)


def read(data: Any) -> Configuration:
    """The configuration in plain data. Raises Invalid with what is wrong, as far as MOST_PROBLEMS."""
    problems = _problems(data)[:MOST_PROBLEMS]
    if problems:
        raise Invalid(problems)
    return Configuration(
        stages=tuple(_stage(stage) for stage in data["stages"]),
        archive=tuple(data.get("archive") or ()),
        headers={
            key: (value,) if isinstance(value, str) else tuple(value)
            for key, value in data.get("constrainHeaders", {}).items()
        },
        body=data.get("constrainBody", {}),
        parameters=data.get("parameters", {}),
    )


def _stage(stage: Mapping[str, Any]) -> Stage:
    lists = {key: tuple(stage.get(key) or ()) for key in ("environment", "script")}
    return Stage(name=stage["name"], image=stage["image"], runtime=stage.get("runtime"), **lists)


def _problems(data: Any) -> list[Problem]:
    if not isinstance(data, Mapping):
        return [((), "is no object with the key `stages`")]
    found = _unknown(data, KEYS, ())
    stages = data.get("stages")
    if not isinstance(stages, list):
        found.append((("stages",), "is missing, or no list"))
    elif len(stages) > MOST_STAGES:
        found.append((("stages",), f"has more than {MOST_STAGES} entries"))
    else:
        for place, stage in enumerate(stages):
            if len(found) >= MOST_PROBLEMS:
                break
            found += _stage_problems(stage, ("stages", place))
    found += _texts(data, "archive", ())
    found += [(("archive",), f"{path!r} leads out of the working directory") for path in _escaping(data)]
    found += _named(data, "constrainHeaders", _is_text_or_texts, "is no text and no list of texts", NAME)
    found += _named(data, "constrainBody", lambda value: True, "", None)
    found += _named(data, "parameters", _is_text_or_null, "is no text and not null", NAME)
    return found


def _stage_problems(stage: Any, path: tuple[str | int, ...]) -> list[Problem]:
    if not isinstance(stage, Mapping):
        return [(path, "is no object with `name` and `image`")]
    found = _unknown(stage, STAGE_KEYS, path)
    for key in ("name", "image"):
        if not _is_text(stage.get(key)) or not stage[key].strip():
            found.append(((*path, key), "is missing, or no text"))
    if not _is_text_or_null(stage.get("runtime")):
        found.append(((*path, "runtime"), "is no text and not null"))
    return found + _texts(stage, "environment", path) + _texts(stage, "script", path)


def _escaping(data: Mapping[str, Any]) -> list[str]:
    """Paths of the archive that no stage can have made in its working directory."""
    archive = data.get("archive")
    texts = [path for path in archive if isinstance(path, str)] if isinstance(archive, list) else []
    return [path for path in texts if not path or path.startswith("/") or ".." in path.split("/")]


def _unknown(table: Mapping[str, Any], known: Sequence[str], path: tuple[str | int, ...]) -> list[Problem]:
    found: list[Problem] = []
    for key in islice((key for key in table if key not in known), MOST_PROBLEMS):
        near = get_close_matches(str(key)[:LONGEST_SHOWN], known, n=1, cutoff=0.75)
        hint = f" (did you mean `{near[0]}`?)" if near else ""
        found.append(((*path, str(key)[:LONGEST_SHOWN]), f"is no known key{hint}"))
    return found


def _texts(table: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> list[Problem]:
    value = table.get(key)
    fine = value is None or (isinstance(value, list) and all(_is_text(one) for one in value))
    return [] if fine else [((*path, key), "is no list of texts and not null")]


def _named(
    data: Mapping[str, Any], key: str, fits: Any, otherwise: str, pattern: re.Pattern[str] | None
) -> list[Problem]:
    table = data.get(key, {})
    if not isinstance(table, Mapping):
        return [((key,), "is no object")]
    found: list[Problem] = []
    for name, value in table.items():
        if not isinstance(name, str) or (pattern and not pattern.fullmatch(name)):
            found.append(((key, str(name)), "is a name of other characters than letters, `_` and `-`"))
        elif not fits(value):
            found.append(((key, name), otherwise))
    return found


def _is_text(value: Any) -> bool:
    """No program takes NUL in a text that it is given."""
    return isinstance(value, str) and "\0" not in value


def _is_text_or_null(value: Any) -> bool:
    return value is None or _is_text(value)


def _is_text_or_texts(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and all(_is_text(one) for one in value))


def _spell(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "plan"
