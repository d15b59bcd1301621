"""Requests that schemathesis makes up out of the OpenAPI document, good ones and bad ones, the same in every run.

Left to chance an address would hardly ever name something that is there, nor a parameter a branch: in most requests
such values are replaced by real ones.
"""

import copy
import os
import random
from collections.abc import Iterator, MutableMapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.generation import GenerationMode
from schemathesis.transport.wsgi import WSGI_TRANSPORT

from tests.support.openapi import document

LONG = os.environ.get("SKERRY_TEST_DEPTH") == "long"
#: Requests of each operation: such as the document describes, and such as it does not.
GOOD, BAD = (25, 10) if LONG else (2, 1)
SEED = 5

#: What is there in the world of these tests (`Place`), by the name of what it is put in.
REAL: dict[str, tuple[Any, ...]] = {
    "id": ("1",),
    "Content-Range": ("0-0",),
    "ref": ("main", "refs/heads/main"),
    "ref_name": ("main",),
    "branch": ("main", "fresh"),
    "start_branch": ("main",),
    "from": ("main",),
    "to": ("main",),
    "sha": ("main",),
    "tag_name": ("v1",),
    "name": ("main", "review/1", "v*"),
    "key": ("KEY", "prod"),
    "file_path": ("a",),
    "artifact_path": ("a",),
    "path": ("a", "rocket"),
    "job": ("build",),
    "username": ("guest", "stranger"),
    "content": ("build: {script: make}",),
    "cron": ("0 1 * * *",),
}


def requests() -> Iterator[Case]:
    """The requests. Last those that remove or archive, then whole projects and groups, then what uses up tokens."""
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document()))
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda one: (_order(one), one.label)):
        yield from _of(operation, GenerationMode.POSITIVE, GOOD)
        if operation.query or operation.body:
            yield from _of(operation, GenerationMode.NEGATIVE, BAD)


def _order(operation: Any) -> int:
    if "token" in operation.path or operation.label == "DELETE /runners":
        return 3
    if operation.method.upper() != "DELETE":
        return int(operation.path.endswith("archive"))
    return 2 if operation.path in ("/projects/{id}", "/groups/{id}") else 1


def _of(operation: Any, mode: GenerationMode, count: int) -> list[Case]:
    found: list[Case] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    chance = random.Random(f"{SEED} {operation.label} {mode}")
    for case in found:
        for part in (case.path_parameters, case.query, case.headers, case.body):
            _make_real(part, chance)
    return found


def _make_real(values: Any, chance: random.Random) -> None:
    """Put things that are there into most of `values`."""
    if not isinstance(values, MutableMapping):
        return
    for name in list(values):
        if chance.random() < 0.8:
            if name in REAL:
                values[name] = chance.choice(REAL[name])
            elif name.endswith("_id") and isinstance(values[name], int | str):
                values[name] = 1


def arguments(case: Case, headers: dict[str, str]) -> dict[str, Any]:
    """What a Flask client is called with to send `case`."""
    given: dict[str, Any] = WSGI_TRANSPORT.serialize_case(case)
    kept = {name: value for name, value in given["headers"].items() if name in ("Content-Type", "Content-Range")}
    path = "/api/v4" + given["path"].removeprefix("/api/v4")
    return given | {"path": path, "headers": kept | headers, "buffered": True}
