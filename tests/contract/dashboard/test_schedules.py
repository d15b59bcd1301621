"""The pages of schedules."""

from pathlib import Path

import pytest

from app.models import Pipeline, PipelineSchedule
from app.services.schedules.show_schedules import variables_of
from tests.factories import make_token
from tests.git_client import new_checkout

LIST = "/skerry/hello/-/pipeline_schedules"
FORM = {
    "description": "Every night",
    "cron": "0 1 * * *",
    "cron_timezone": "Europe/Berlin",
    "ref": "main",
    "active": "1",
}


def only(site) -> PipelineSchedule:
    site.core.session.rollback()
    return site.core.session.query(PipelineSchedule).one()


@pytest.fixture
def pushed(site, server, user_of, tmp_path: Path):
    """`main` asks for inputs."""
    token = make_token(site.core, user_of("owner"))[1]
    checkout = new_checkout(tmp_path / "checkout", server.clone_url("skerry/hello", "owner", token))
    spec = (
        "spec: {inputs: {count: {type: number, default: 3}, where: {options: [here, there]}, loud: {type: boolean}}}\n"
    )
    job = "job: {script: ['echo $[[ inputs.count ]] $[[ inputs.where ]] $[[ inputs.loud ]]']}\n"
    checkout.commit({".gitlab-ci.yml": f"{spec}---\n{job}"})
    checkout.git("push", "origin", "HEAD:main", "-o", "ci.skip")
    return site


def test_a_schedule_is_made_changed_and_removed(site):
    maintainer = site.visitor("maintainer")
    assert "Nothing is scheduled" in maintainer.get(LIST).text
    assert maintainer.get(f"{LIST}/new").status_code == 200
    given = {"key": ["TOKEN", ""], "key_value": ["a-long-secret", ""], "input": ["count"], "input_value": ["5"]}
    assert maintainer.post(f"{LIST}/new", FORM | given).status_code == 303
    row = only(site)
    assert (row.owner.username, row.ref, row.cron_timezone, row.active) == ("maintainer", "main", "Europe/Berlin", True)
    assert row.inputs == [{"name": "count", "value": "5"}]
    assert [(found.key, found.value) for found in variables_of(site.core, row)] == [("TOKEN", "a-long-secret")]
    page = maintainer.get(f"{LIST}/{row.id}/edit").text
    assert "TOKEN" in page
    assert "a-long-secret" not in page
    changed = {"key": ["TOKEN", "MORE"], "key_value": ["", "x"], "cron": "@weekly", "input": [""], "input_value": [""]}
    form = {name: value for name, value in (FORM | changed).items() if name != "active"}
    assert maintainer.post(f"{LIST}/{row.id}/edit", form).status_code == 303
    row = only(site)
    assert (row.cron, row.active, row.inputs) == ("@weekly", False, [])
    kept = [(found.key, found.value) for found in variables_of(site.core, row)]
    assert kept == [("TOKEN", "a-long-secret"), ("MORE", "x")]
    assert "switched off" in maintainer.get(LIST).text
    assert maintainer.post(f"{LIST}/{row.id}/remove").status_code == 303
    assert site.core.session.query(PipelineSchedule).count() == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cron": "whenever"}, "five fields"),
        ({"cron_timezone": "Nowhere"}, "no such time zone"),
        ({"description": " "}, "blank"),
        ({"ref": "a..b"}, "Ref is invalid."),
        ({"key": "NO GOOD", "key_value": "x"}, "Key can contain only letters"),
        ({"key": "LONG", "key_value": "x" * 10_001}, "Value is too long"),
    ],
)
def test_what_cannot_be_scheduled_is_said_on_the_form_which_stays_filled_in(site, wrong, said):
    answer = site.visitor("maintainer").post(f"{LIST}/new", FORM | {"description": "Kept text"} | wrong)
    assert answer.status_code == 422
    assert said in answer.text
    assert "description" in wrong or "Kept text" in answer.text
    assert site.core.session.query(PipelineSchedule).count() == 0


def test_running_one_now_leads_to_its_pipeline_or_says_why_not(pushed):
    maintainer = pushed.visitor("maintainer")
    inputs = {"input": ["where", "loud"], "input_value": ["there", "false"]}
    maintainer.post(f"{LIST}/new", FORM | inputs)
    row = only(pushed)
    played = maintainer.post(f"{LIST}/{row.id}/play")
    made = pushed.core.session.query(Pipeline).order_by(Pipeline.id.desc()).first()
    assert played.location == f"/skerry/hello/-/pipelines/{made.id}"
    assert made.source == "schedule"
    assert made.jobs[0].plan["steps"][0]["script"] == ["echo 3 there false"]
    assert f"#{made.id}" in maintainer.get(LIST).text
    maintainer.post(f"{LIST}/{row.id}/edit", FORM | inputs | {"ref": "gone"})
    assert maintainer.post(f"{LIST}/{row.id}/play").location == LIST
    assert "Reference not found." in maintainer.get(LIST).text


def test_another_takes_it_over_and_only_the_owner_edits(site):
    site.visitor("maintainer").post(f"{LIST}/new", FORM)
    row, owner = only(site), site.visitor("owner")
    page = owner.get(LIST).text
    assert "Take over" in page
    assert f"{LIST}/{row.id}/edit" not in page
    assert owner.get(f"{LIST}/{row.id}/edit").status_code == 403
    assert owner.post(f"{LIST}/{row.id}/edit", FORM).status_code == 403
    assert owner.post(f"{LIST}/{row.id}/take_ownership").status_code == 303
    assert only(site).owner.username == "owner"
    assert owner.get(f"{LIST}/{row.id}/edit").status_code == 200


def test_a_reporter_looks_and_a_guest_does_not(site):
    site.visitor("maintainer").post(f"{LIST}/new", FORM)
    row, reporter = only(site), site.visitor("reporter")
    page = reporter.get(LIST)
    assert (page.status_code, "Every night" in page.text) == (200, True)
    assert "Run now" not in page.text
    for verb in ("play", "take_ownership", "remove"):
        assert reporter.post(f"{LIST}/{row.id}/{verb}").status_code == 403
    assert reporter.get(f"{LIST}/new").status_code == 403
    assert site.visitor("guest").get(LIST).status_code == 403


def test_the_page_that_runs_a_pipeline_asks_for_the_inputs(pushed):
    maintainer, new = pushed.visitor("maintainer"), "/skerry/hello/-/pipelines/new"
    page = maintainer.get(new).text
    assert 'name="input:count" value="3"' in page
    assert '<option value="there">there</option>' in page
    other = maintainer.post(new, {"ref": "nothing", "show": "1"})
    assert (other.status_code, "input:count" in other.text) == (200, False)
    form = {"ref": "main", "input:count": "8", "input:where": "here", "input:loud": "true"}
    made = maintainer.post(new, form)
    assert made.status_code == 303
    pipeline = pushed.core.session.query(Pipeline).order_by(Pipeline.id.desc()).first()
    assert pipeline.jobs[0].plan["steps"][0]["script"] == ["echo 8 here true"]
    refused = maintainer.post(new, form | {"input:where": "", "input:count": "9"})
    assert refused.status_code == 422
    assert "required value has not been provided" in refused.text
    assert 'name="input:count" value="9"' in refused.text
