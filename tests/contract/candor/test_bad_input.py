"""Bad input, each answered in this API's own form: a status and its own words, never a page and never JSON."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from tests.contract.candor.conftest import EVENT, PLAN, PUSH, Site

STAGE = {"name": "a", "image": "b"}


def without(key: str) -> dict[str, Any]:
    return {one: value for one, value in STAGE.items() if one != key}


BAD_PLANS = {
    "no image": {"stages": [without("image")]},
    "no name": {"stages": [without("name")]},
    "an image with blanks": {"stages": [STAGE | {"image": "a b"}]},
    "an image that is an option": {"stages": [STAGE | {"image": "--privileged"}]},
    "an archive that leads out": {"stages": [STAGE], "archive": ["a/../../etc/passwd"]},
    "an archive that is absolute": {"stages": [STAGE], "archive": ["/etc/passwd"]},
    "a constraint on no header": {"stages": [STAGE], "constrainHeaders": {"X 1": "a"}},
    "constraints that are a list": {"stages": [STAGE], "constrainBody": [".ref"]},
    "a parameter that is a number": {"stages": [STAGE], "parameters": {"a": 1}},
    "an unknown key": {"stages": [STAGE | {"user": "root"}]},
}


def assert_word(answer: Any, status: int) -> None:
    """The form of this API's errors."""
    assert answer.status_code == status
    assert (answer.mimetype, answer.text) == ("text/plain", HTTPStatus(status).phrase)


@pytest.mark.parametrize("plan", BAD_PLANS.values(), ids=BAD_PLANS)
def test_a_bad_plan_is_not_saved_and_its_trigger_is_refused(site: Site, plan: dict[str, Any]) -> None:
    path = f"/api/pipelines/{site.id}/config"
    assert site.client("demouser").post(path, json=plan).json == {"valid": False}
    assert site.client("demouser").get(path).json == PLAN
    site.save(plan)  # as if an older version had let it in
    assert_word(site.trigger(), 400)
    assert site.runs() == []


@pytest.mark.parametrize("expression", [".ref{", "..", ".a[", "not a path", ".a{.b ===}", "", "\ud83d"])
def test_a_constraint_that_does_not_parse_is_never_met(site: Site, expression: str) -> None:
    site.save({"stages": [STAGE], "constrainBody": {expression: [PUSH["ref"]]}})
    answer = site.trigger()
    assert (answer.status_code, answer.text) == (204, "")
    assert site.runs() == []


@pytest.mark.parametrize("expression", [".after{", "", "]"])
def test_a_parameter_that_does_not_parse_has_no_value(site: Site, expression: str) -> None:
    site.save({"stages": [STAGE | {"script": ["echo %sha%"]}], "parameters": {"sha": expression}})
    assert site.trigger().status_code == 200
    assert site.job().plan["steps"][0]["script"] == ["echo %sha%"]


def test_a_trigger_while_a_run_goes_on_queues_or_is_refused_if_that_is_asked_for(site: Site) -> None:
    assert site.trigger().status_code == site.trigger().status_code == 200
    assert [run.status for run in site.runs()] == ["pending", "pending"]
    object.__setattr__(site.core.config, "strict_triggers", True)
    assert_word(site.trigger(), 400)
    assert len(site.runs()) == 2


@pytest.mark.parametrize("body", ["{", "nope", '"text"', "5", "null", '{"a": NaN}', '{"a": "\\u0000"}', "[" * 100_000])
@pytest.mark.parametrize("path", ["/trigger/{token}", "/login", "/api/pipelines/{id}/config"])
def test_a_body_that_is_no_json_object_is_400(site: Site, path: str, body: str) -> None:
    client = site.client(None if path == "/login" else "demouser")
    address = path.format(token=site.token, id=site.id)
    assert_word(client.post(address, data=body, content_type="application/json", headers=EVENT), 400)


@pytest.mark.parametrize("number", ["x", "0", "-1", "1.5", "1e3", "9" * 40, "٣", "01x"])
def test_an_id_of_the_wrong_form_is_404(site: Site, number: str) -> None:
    client = site.client("demouser")
    for path in (f"/api/pipelines/{number}", f"/api/pipelines/{number}/config"):
        assert_word(client.get(path), 404)


@pytest.mark.parametrize("run", ["x", "0", "-1", "00000000", "g" * 8, "1" * 40, "LAST", "٣٣٣٣٣٣٣٣", "0x000001"])
@pytest.mark.parametrize(
    ("what", "words"), [("log", "No log could be found"), ("archive", "No archive could be found")]
)
def test_a_run_of_the_wrong_form_is_404_in_words_of_its_own(site: Site, run: str, what: str, words: str) -> None:
    answer = site.client("demouser").get(f"/api/runs/{site.id}/{run}/{what}?file=a")
    assert (answer.status_code, answer.mimetype, answer.text) == (404, "text/plain", words)


@pytest.mark.parametrize("token", ["x", "0" * 32, "../me", "%2e%2e", "a" * 5000, "ä"])
def test_a_token_of_the_wrong_form_is_400_or_no_address_at_all(site: Site, token: str) -> None:
    answer = site.app.test_client().post(f"/trigger/{token}", json={})
    assert answer.status_code in (400, 404, 405)
    assert site.token not in answer.text


def test_a_body_that_is_too_large_is_413(site: Site) -> None:
    body = json.dumps({"username": "a" * site.core.config.body_limit, "password": "b"})
    assert_word(site.client().post("/login", data=body, content_type="application/json"), 413)
