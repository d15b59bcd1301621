"""Every answer that LayerCI's documents show, JSON for JSON: the same keys, types and formats."""

import json
import re
from pathlib import Path
from typing import Any

from app.domain import calculated_status as calculated
from tests.factories import make_pipeline
from tests.support.layerci import LayerCi

EXAMPLES = json.loads((Path(__file__).parent / "examples.json").read_text())
#: Copied by hand out of LayerCI's page (seed 001) and webapp.io's (layerci.md B.1): every answer that they show.
SOURCES = {
    "schema": "seed 001, lines 25 to 36",
    "found": "seed 001, lines 79 to 93",
    "none": "seed 001, lines 95 to 98",
    "created": "seed 001, lines 171 to 186",
    "runners": "layerci.md B.1, the table of calls and the runner object",
    "no_run": "layerci.md B.1, the table of calls",
}
FORMATS = {
    "time": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{0,8}[1-9])? \+0000 UTC"),
    "sha": re.compile(r"[0-9a-f]{40}"),
    "url": re.compile(r"https?://\S+"),
    "nothing": re.compile(""),
}
#: Whose values are one of a few words.
WORDS = {
    "status": {
        *("ok", "error", "NEW", "ERROR", "STARTING_RUNNERS", "SEE_RUNNERS"),
        *("RUNNING", "SUCCESS", "FAILURE", "WAITING_PARENTS", "CANCELLED"),
    },
    "calculated_status": {
        *("NEW", "JOB_ERROR", "BAD_LAYERFILE", "STARTING_RUNNERS", "FAILURE", "RUNNER_CANCELLED", "RUNNER_ERROR"),
        *("RUNNING", "SUCCEEDED"),
    },
    "run_start_reason": {"Manual run created by API"},
}


def differences(found: Any, example: Any, path: str = "") -> list[str]:
    """In what `found` is no such thing as `example`, its values aside."""
    if type(found) is not type(example):
        return [f"{path} is {found!r}, not like {example!r}"]
    if isinstance(example, dict):
        missing = [f"{path}.{key} is on one side only" for key in found.keys() ^ example.keys()]
        both = found.keys() & example.keys()
        return missing + [line for key in both for line in differences(found[key], example[key], f"{path}.{key}")]
    if isinstance(example, list):
        return [line for one, like in zip(found, example, strict=True) for line in differences(one, like, path)]
    allowed = WORDS.get(path.rpartition(".")[2])
    if allowed is not None and example in allowed:
        return [] if found in allowed else [f"{path} is {found!r}, which is no word for it"]
    return [
        f"{path} is {found!r}, not in the format of {example!r}"
        for form in FORMATS.values()
        if isinstance(example, str) and form.fullmatch(example) and not form.fullmatch(found)
    ]


def test_the_comparison_sees_what_differs() -> None:
    job = EXAMPLES["schema"]
    assert differences(job, job) == []
    wrong = job | {"id": "1", "commit_sha": "9abc", "status": "DONE", "status_change_time": "2000-01-01", "more": 1}
    del wrong["branch"]
    assert len(differences(wrong, job)) == 6
    for untidy in ("2000-01-01 01:23:45.120 +0000 UTC", "2000-01-01 01:23:45. +0000 UTC"):
        assert differences({**job, "status_change_time": untidy}, job) != []


def test_every_example_of_the_documents_is_compared() -> None:
    assert EXAMPLES.keys() == SOURCES.keys()


def test_the_runners_of_a_run(layerci: LayerCi) -> None:
    uuid = layerci.post(name="token").json["job"]["uuid"]
    found = layerci.get(f"/runners/repo_name/{uuid}").json
    assert differences({**found, "runners": found["runners"][:1]}, EXAMPLES["runners"]) == []
    none = layerci.get("/runners/repo_name/job_uuid")
    assert none.status_code == 404
    assert none.json == EXAMPLES["no_run"]


def test_a_run_that_is_found(layerci: LayerCi) -> None:
    run = make_pipeline(layerci.core, layerci.project, source="api", ref="master", status="success")
    layerci.set(run, calculated_status=calculated.SUCCEEDED)
    answer = layerci.get("/run/repo_name/search", search="status:succeeded")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert differences(answer.json, EXAMPLES["found"]) == []
    assert differences(answer.json["job"], EXAMPLES["schema"]) == []
    job = answer.json["job"]
    assert (job["repository_name"], job["id"], job["commit_sha"]) == ("repo_name", 1, layerci.run(1).sha)
    assert (job["status"], job["calculated_status"]) == ("SEE_RUNNERS", "SUCCEEDED")


def test_no_run_that_is_found(layerci: LayerCi) -> None:
    answer = layerci.get("/run/repo_name/search", search="status:succeeded")
    assert answer.status_code == 404
    assert differences(answer.json, EXAMPLES["none"]) == []
    assert answer.json["error"] == "There are no runs in layerdemo/repo_name matching the given filters."


def test_a_run_that_is_created(layerci: LayerCi) -> None:
    sha = layerci.checkout.git("rev-parse", "HEAD")
    body = {"branch": "master", "ref": sha, "accept_buttons": "true", "skip_no_further_than": "run-and-deploy"}
    answer = layerci.post(json=body)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert differences(answer.json, EXAMPLES["created"]) == []
    job = answer.json["job"]
    assert (job["status"], job["calculated_status"], job["commit_sha"], job["id"]) == ("NEW", "NEW", sha, 1)


def test_who_goes_by_the_newer_documents_gets_a_uuid_too(layerci: LayerCi) -> None:
    job = layerci.post(name="token").json["job"]
    assert differences(job, EXAMPLES["schema"] | {"uuid": job["uuid"]}) == []
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", job["uuid"])
