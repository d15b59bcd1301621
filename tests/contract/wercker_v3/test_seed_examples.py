"""Every example of Wercker's documentation against our answers: the same keys, types and formats, values aside."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.api.wercker_v3.entities.common import id_of
from app.domain.plan import JobPlan, Step
from tests.databases import BOTH
from tests.git_client import Checkout
from tests.support.place import Place
from tests.support.wercker import Api, Ids

SEED = Path(__file__).parent / "seed"
#: Copied by hand out of the documentation (seed 003): every answer that it shows, and the lines where it does.
LINES = {"list": (38, 109), "run": (117, 158), "steps": (166, 193), "trigger": (217, 255), "abort": (263, 303)}
FORMATS = {
    "id": re.compile(r"[0-9a-f]{24}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "hash": re.compile(r"[0-9a-f]{40}"),
    "md5": re.compile(r"[0-9a-f]{32}"),
    "url": re.compile(r"https?://[^/]+/api/v3/(?:runs|pipelines|runsteps)/[0-9a-f]{24}(?:/log)?"),
}
#: Wercker's later answers named steps so; its documentation's example does not have them yet (wercker.md C.3).
LATER = {"displayName", "phase"}


def example(name: str) -> Any:
    return json.loads((SEED / f"{name}.json").read_text())


def form(value: Any) -> Any:
    """What a value looks like: of a text its format, of an object and a list what is in them."""
    if isinstance(value, dict):
        return {key: form(inner) for key, inner in value.items() if key not in LATER}
    if isinstance(value, list):
        return [form(inner) for inner in value[:1]]
    if isinstance(value, str):
        return next((name for name, known in FORMATS.items() if known.fullmatch(value)), "text")
    return type(value).__name__


def test_every_example_of_the_documentation_is_here() -> None:
    assert {path.stem for path in SEED.iterdir()} == LINES.keys()


@pytest.fixture
def run(place: Place) -> str:
    """An aborted run with variables, started by a user, with two steps of its job that passed; its id."""
    now = place.core.now()
    plan = JobPlan(name="build", stage="build", steps=(Step("get code", ("a",)), Step("setup environment", ("b",))))
    job = place.job(plan=plan, status="canceled", started_at=now, finished_at=now, heard_at=now)
    for step in job.steps:
        moments = {"started_at": now, "finished_at": now + timedelta(seconds=1)}
        place.set(step, status="success", exit_code=0, **moments)
    sealed = place.core.box.seal('[{"key": "SOME_VAR", "value": "SOME VALUE"}]', place.pipeline.seal_context)
    place.set(
        place.pipeline,
        status="canceled",
        started_at=now,
        finished_at=now,
        source="api",
        message="My custom message!",
        variables_sealed=sealed,
    )
    return id_of(place.pipeline)


@pytest.mark.parametrize("database", BOTH, indirect=True)
class TestTheAnswerHasTheFormOfTheExample:
    def test_of_a_list_of_runs(self, api: Api, ids: Ids, run: str) -> None:
        for query in (f"applicationId={ids.application}", f"pipelineId={ids.pipeline}"):
            assert form(api.get(f"/runs?{query}").json) == form(example("list"))

    def test_of_a_run(self, api: Api, run: str) -> None:
        assert form(api.get(f"/runs/{run}").json) == form(example("run"))

    def test_of_the_steps_of_a_run(self, api: Api, run: str) -> None:
        steps = api.get(f"/runs/{run}/steps").json
        assert [form(step) for step in steps] == [form(step) for step in example("steps")]
        assert [step["order"] for step in steps] == [step["order"] for step in example("steps")]
        assert [step["step"] for step in steps] == [step["step"] for step in example("steps")]

    def test_of_a_run_that_is_triggered(self, api: Api, ids: Ids, pushed: Checkout) -> None:
        body = {
            "pipelineId": ids.pipeline,
            "message": "My custom message!",
            "envVars": [{"key": "SOME_VAR", "value": "SOME VALUE"}],
        }
        response = api.post("/runs/", json=body)
        assert response.status_code == 200
        assert form(response.json) == form(example("trigger"))
        for key in ("message", "envVars", "progress", "result", "status"):
            assert response.json[key] == example("trigger")[key]

    def test_of_a_run_that_is_aborted(self, api: Api, place: Place, run: str) -> None:
        place.set(place.pipeline, status="running", finished_at=None)
        place.job(status="running", started_at=place.core.now(), heard_at=place.core.now())
        response = api.put(f"/runs/{run}/abort")
        assert response.status_code == 200
        assert form(response.json) == form(example("abort"))
        assert (response.json["status"], response.json["result"]) == ("finished", "aborted")


def test_ids_begin_with_the_second_of_their_creation(api: Api, run: str) -> None:
    def seconds(found: dict[str, Any]) -> str:
        return found["createdAt"][:19]

    from datetime import UTC, datetime

    for shown in (example("run"), example("steps")[0], api.get(f"/runs/{run}").json):
        told = datetime.fromtimestamp(int(shown["id"][:8], 16), UTC)
        assert told.strftime("%Y-%m-%dT%H:%M:%S") == seconds(shown)
