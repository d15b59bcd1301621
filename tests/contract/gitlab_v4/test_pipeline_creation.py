"""Starting pipelines: variables, inputs, who may give them, names (gitlab.md B.4)."""

from pathlib import Path
from typing import Any

import pytest

from app.models import Job, Membership, write
from tests.git_client import Checkout, new_checkout
from tests.support.gitlab import Api
from tests.support.place import Place

START = "/projects/1/pipeline"
NO_JOBS = (
    "Pipeline will not run for the selected trigger. "
    "The rules configuration prevented any jobs from being added to the pipeline."
)
INPUTS = """
spec:
  inputs:
    count: {type: number, default: 1}
    loud: {type: boolean, default: false}
    names: {type: array, default: []}
    where: {options: [here, there], default: here}
---
job:
  script:
    - echo $[[ inputs.count ]] $[[ inputs.loud ]] $[[ inputs.where ]]
    - $[[ inputs.names ]]
"""


@pytest.fixture
def checkout(place: Place, tmp_path: Path) -> Checkout:
    checkout = new_checkout(
        tmp_path / "checkout",
        str(place.core.repositories.path(1)),
        {".gitlab-ci.yml": INPUTS, "rules.yml": "job: {script: x, rules: [{if: '$CI == \"no\"'}]}"},
    )
    checkout.git("push", "origin", "main", "HEAD:topic")
    return checkout


def script(place: Place) -> list[str]:
    place.core.session.rollback()
    job = place.core.session.query(Job).order_by(Job.id.desc()).first()
    lines: list[str] = job.plan["steps"][0]["script"]
    return lines


def test_variables_are_given_as_json_or_as_a_form(api: Api, checkout: Checkout) -> None:
    given = [{"key": "A", "value": "1"}, {"key": "B", "value": "2", "variable_type": "file"}]
    made = api.post(START, json={"ref": "main", "variables": given})
    assert made.status_code == 201, made.json
    assert made.json["source"] == "api"
    expected = [
        {"variable_type": "env_var", "key": "A", "value": "1", "raw": False},
        {"variable_type": "file", "key": "B", "value": "2", "raw": False},
    ]
    assert api.get(f"/projects/1/pipelines/{made.json['id']}/variables").json == expected
    form = [("variables[][key]", "A"), ("variables[][value]", "1"), ("variables[][key]", "B")]
    form += [("variables[][value]", "2"), ("variables[][variable_type]", "file"), ("ref", "main")]
    query = "&".join(f"{key}={value}" for key, value in form)
    parts = "".join(f'--X\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in form)
    for again in (
        api.post(f"{START}?{query}"),
        api.post(START, data=query, content_type="application/x-www-form-urlencoded"),
        api.post(START, data=f"{parts}--X--\r\n", content_type="multipart/form-data; boundary=X"),
    ):
        assert again.status_code == 201, again.json
        assert api.get(f"/projects/1/pipelines/{again.json['id']}/variables").json == expected


def test_inputs_come_in_the_types_of_json(api: Api, place: Place, checkout: Checkout) -> None:
    inputs = {"count": 5, "loud": True, "where": "there", "names": ["make", "make test"]}
    assert api.post(START, json={"ref": "main", "inputs": inputs}).status_code == 201
    assert script(place) == ["echo 5 true there", "make", "make test"]


def test_the_texts_of_a_form_are_read_as_what_is_declared(api: Api, place: Place, checkout: Checkout) -> None:
    form = {"ref": "main", "inputs[count]": "7", "inputs[loud]": "true", "inputs[names]": '["x"]'}
    made = api.post(START, data=form)
    assert made.status_code == 201, made.json
    assert script(place) == ["echo 7 true here", "x"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"count": "many"}, "`count` input: provided value is not a number"),
        ({"loud": 1}, "`loud` input: provided value is not a boolean"),
        ({"where": "nowhere"}, "not in the list of allowed options"),
        ({"unknown": 1}, "unknown"),
        ({str(number): 1 for number in range(21)}, "There cannot be more than 20 inputs"),
    ],
)
def test_inputs_that_do_not_fit_make_no_pipeline(api: Api, checkout: Checkout, inputs: Any, said: str) -> None:
    answer = api.post(START, json={"ref": "main", "inputs": inputs})
    assert answer.status_code == 400
    assert said in answer.json["message"]["base"][0]


def test_inputs_that_are_no_values_are_refused(api: Api) -> None:
    for inputs in ({"a": {"b": 1}}, {"a": [[1]]}, [1], "text"):
        answer = api.post(START, json={"ref": "main", "inputs": inputs})
        assert (answer.status_code, answer.json) == (400, {"error": "inputs is invalid"})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"ref": "nothing"}, "Reference not found"),
        ({"ref": "broken"}, "jobs job config should implement the script:, run:, or trigger: keyword"),
        ({"ref": "none"}, "Missing CI config file"),
        (
            {"ref": "empty"},
            NO_JOBS,
        ),
        ({"ref": "filtered"}, "Pipeline filtered out by workflow rules."),
    ],
)
def test_what_cannot_be_started_says_so_in_gitlabs_words(
    api: Api, checkout: Checkout, given: dict[str, str], text: str
) -> None:
    files = {
        "broken": "job: {stage: test}",
        "empty": "job: {script: x, rules: [{when: never}]}",
        "filtered": "workflow: {rules: [{when: never}]}\njob: {script: x}",
    }
    for branch, content in files.items():
        checkout.commit({".gitlab-ci.yml": content})
        checkout.git("push", "origin", f"HEAD:{branch}")
    checkout.git("rm", "--quiet", ".gitlab-ci.yml")
    checkout.commit()
    checkout.git("push", "origin", "HEAD:none")
    answer = api.post(START, json=given)
    assert (answer.status_code, answer.json) == (400, {"message": {"base": [text]}})


def test_a_message_that_skips_ci_does_not_hold_for_the_api(api: Api, checkout: Checkout) -> None:
    checkout.commit(message="Change [ci skip]")
    checkout.git("push", "origin", "HEAD:main")
    made = api.post(START, json={"ref": "main"})
    assert (made.status_code, made.json["status"]) == (201, "pending")


@pytest.mark.parametrize(
    ("minimum", "allowed"),
    [
        ("developer", ["developer", "maintainer", "owner", "admin"]),
        ("maintainer", ["maintainer", "owner", "admin"]),
        ("owner", ["owner", "admin"]),
        ("no_one_allowed", []),
    ],
)
def test_the_project_says_who_may_give_variables(
    api: Api, place: Place, checkout: Checkout, minimum: str, allowed: list[str]
) -> None:
    place.set(place.project, variables_role=minimum)
    given = {"ref": "topic", "variables": [{"key": "A", "value": "1"}]}
    for role in ("developer", "maintainer", "owner", "admin"):
        answer = api.post(START, json=given, token=place.tokens[role])
        if role in allowed:
            assert answer.status_code == 201
        else:
            refused = {"message": {"base": ["Insufficient permissions to set pipeline variables"]}}
            assert (answer.status_code, answer.json) == (400, refused)
        assert api.post(START, json={"ref": "topic"}, token=place.tokens[role]).status_code == 201


def test_the_setting_is_changed_and_only_owners_undo_what_is_for_owners(api: Api, place: Place) -> None:
    name = "ci_pipeline_variables_minimum_override_role"
    assert api.get("/projects/1").json[name] == "developer"
    changed = api.put("/projects/1", json={name: "maintainer"}).json
    assert (changed[name], changed["restrict_user_defined_variables"]) == ("maintainer", True)
    assert api.put("/projects/1", json={"restrict_user_defined_variables": False}).json[name] == "developer"
    assert api.put("/projects/1", json={"restrict_user_defined_variables": True}).json[name] == "maintainer"
    assert api.put("/projects/1", json={name: "owner"}, token=place.tokens["owner"]).json[name] == "owner"
    refused = api.put("/projects/1", json={name: "developer"})
    assert (refused.status_code, refused.json) == (400, {"message": {name: ["is for owners to change"]}})
    assert api.put("/projects/1", json={name: "nobody"}).json == {"error": f"{name} does not have a valid value"}


def test_what_one_started_is_listed_as_long_as_one_may_see_it(api: Api, place: Place, checkout: Checkout) -> None:
    made = api.post(START, json={"ref": "topic"}, token=place.tokens["developer"]).json["id"]
    api.post(START, json={"ref": "topic"})
    mine = api.get("/user/pipelines", token=place.tokens["developer"]).json
    assert [row["id"] for row in mine] == [made, place.pipeline.id]
    with write(place.core.session):
        place.core.session.query(Membership).filter_by(user_id=place.users["developer"].id).delete()
    assert api.get("/user/pipelines", token=place.tokens["developer"]).json == []


def test_variables_of_a_job_that_is_played_need_the_right_too(api: Api, place: Place) -> None:
    place.set(place.project, variables_role="no_one_allowed")
    one = f"/projects/1/jobs/{place.job(status='manual', when='manual').id}/play"
    given = {"job_variables_attributes": [{"key": "A", "value": "1"}]}
    assert api.post(one, json=given).status_code == 403
    assert api.post(one).status_code == 200


def test_a_pipeline_is_renamed(api: Api, place: Place) -> None:
    one = "/projects/1/pipelines/1/metadata"
    renamed = api.put(one, json={"name": "Release 1"})
    assert (renamed.status_code, renamed.json["name"]) == (200, "Release 1")
    assert api.get("/projects/1/pipelines?name=Release%201").json[0]["id"] == 1
    long = api.put(one, json={"name": "x" * 256})
    text = "400 Bad request - Name is too long (maximum is 255 characters)"
    assert (long.status_code, long.json) == (400, {"message": text})
    assert api.put(one, json={"name": " "}).status_code == 400
    assert api.put(one, json={}).json == {"error": "name is missing"}
    token = place.job_token(place.job(status="running", user_id=place.users["developer"].id))
    assert api.put(one, json={"name": "By a job"}, token=None, headers={"JOB-TOKEN": token}).json["name"] == "By a job"
