"""The page of a job: its sentence, its buttons, and that nothing of a job's making is markup."""

import re
from datetime import timedelta

import pytest

from app.models import Job, JobStep, write
from app.services.jobs.resources import group_ids, take
from app.services.pipelines.kept_variables import open_variables
from tests.factories import make_job, make_runner, print_trace

PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def _set(core, row, **values):
    with write(core.session):
        for name, value in values.items():
            setattr(row, name, value)


def _sentence(page: str) -> str:
    return re.search(r'aria-live="polite"><p class="sentence[^>]*>(.*?)</p>', page, re.DOTALL)[1]


def test_a_waiting_job_says_why_it_waits(site, core):
    _set(core, site.job, status="pending", waiting_reason="No runner has the tag windows.")
    page = site.visitor("guest").get("/skerry/hello/-/jobs/1").text
    assert _sentence(page) == "No runner has the tag windows."


def test_a_job_that_waits_for_a_resource_says_who_holds_it(site, core):
    with write(core.session):
        group = group_ids(core, site.project.id, ["production"])["production"]
        take(core, group, site.job.id)
    later = make_job(core, site.pipeline, name="ship", status="waiting_for_resource", resource_group_id=group)
    said = "Waits for the resource group production, which is held by #1."
    visitor = site.visitor("guest")
    assert _sentence(visitor.get(f"/skerry/hello/-/jobs/{later.id}").text) == said
    assert f'title="{said}"' in visitor.get("/skerry/hello/-/pipelines/1").text


def test_a_scheduled_job_can_be_taken_off_the_clock(site, core):
    job = make_job(core, site.pipeline, name="roll", when="delayed", status="scheduled", scheduled_at=core.now())
    visitor = site.visitor("developer")
    assert "/unschedule" in visitor.get(f"/skerry/hello/-/jobs/{job.id}").text
    assert visitor.post(f"/skerry/hello/-/jobs/{job.id}/unschedule").status_code == 303
    assert _sentence(visitor.get(f"/skerry/hello/-/jobs/{job.id}").text) == "Waits for somebody to start it."
    assert "/unschedule" not in visitor.get(f"/skerry/hello/-/jobs/{job.id}").text


def test_a_job_that_waits_for_others_names_them(site, core):
    later = make_job(core, site.pipeline, name="ship", stage="deploy", status="created")
    guest = site.visitor("guest")
    assert _sentence(guest.get(f"/skerry/hello/-/jobs/{later.id}").text) == "Waits for unit to end."
    _set(core, site.job, status="manual")
    said = "Waits for unit to end, which somebody has to start."
    assert _sentence(guest.get(f"/skerry/hello/-/jobs/{later.id}").text) == said


def test_a_failed_job_says_step_exit_code_and_reason(site, core):
    with write(core.session):
        site.job.status, site.job.failure_reason, site.job.exit_code = "failed", "script_failure", 2
        core.session.query(JobStep).filter_by(job_id=site.job.id).one().status = "failed"
    assert _sentence(site.visitor("guest").get("/skerry/hello/-/jobs/1").text) == "Step script failed with exit code 2."
    _set(core, site.job, failure_reason="image_pull_failure", failure_message="no such image", exit_code=None)
    sentence = _sentence(site.visitor("guest").get("/skerry/hello/-/jobs/1").text)
    assert "image" in sentence
    assert "No such image." in sentence


def test_a_failed_job_shows_its_last_lines_and_so_does_its_pipeline(site, core):
    log = b"\x1b[32;1m$ make <test>\x1b[0;m\n\x1b[31m<b>broken</b>\x1b[0m\x07\n"
    print_trace(core, 1, log)
    with write(core.session):
        site.job.status, site.job.failure_reason, site.job.exit_code = "failed", "script_failure", 137
        site.pipeline.status = "failed"
    guest = site.visitor("guest")
    page = guest.get("/skerry/hello/-/jobs/1").text
    why = "exit code 137 (it was killed, as happens when memory runs out) at “make &lt;test&gt;”."
    assert _sentence(page) == f"The script failed with {why}"
    assert "$ make &lt;test&gt;\n&lt;b&gt;broken&lt;/b&gt;\n</pre>" in page
    pipeline = guest.get("/skerry/hello/-/pipelines/1").text
    assert _sentence(pipeline) == f"unit failed. The script failed with {why}"
    assert 'href="/skerry/hello/-/jobs/1#failure"' in pipeline
    assert "&lt;b&gt;broken&lt;/b&gt;\n</pre>" in pipeline
    make_job(core, site.pipeline, name="lint", stage="test", status="failed", failure_reason="runner_system_failure")
    said = _sentence(guest.get("/skerry/hello/-/pipelines/1").text)
    assert said == "lint and unit failed. First lint: The runner failed, not the script."


def test_a_pipeline_that_waits_says_why(site, core):
    guest = site.visitor("guest")

    def said() -> str:
        return _sentence(guest.get("/skerry/hello/-/pipelines/1").text)

    _set(core, site.job, status="pending", waiting_reason="No runner has the tag windows.")
    assert said() == "0 of 1 jobs are done. No runner has the tag windows."
    _set(core, site.pipeline, status="pending")
    assert said() == "No runner has the tag windows."
    _set(core, site.job, status="scheduled", scheduled_at=core.now() + timedelta(hours=2))
    _set(core, site.pipeline, status="scheduled")
    assert said().startswith("Waits for unit, which starts by itself in 2 hours, at 20")
    job = _sentence(guest.get("/skerry/hello/-/jobs/1").text)
    assert job.startswith("Is delayed: starts by itself in 2 hours, at 20")
    _set(core, site.pipeline, status="manual")
    _set(core, site.job, status="manual")
    assert said() == "Waits for somebody to start unit."


def test_names_refs_titles_and_reasons_are_shown_as_text(site, core):
    with write(core.session):
        site.job.name = site.pipeline.ref = PAYLOAD
        site.job.status, site.job.waiting_reason = "pending", PAYLOAD
        site.pipeline.commit = {**site.pipeline.commit, "title": PAYLOAD, "author_name": PAYLOAD}
        site.pipeline.yaml_errors = PAYLOAD
    print_trace(core, site.job.id, PAYLOAD.encode() + b"\n</pre>" + PAYLOAD.encode())
    admin = site.visitor("admin")
    for path in (
        "/",
        "/skerry/hello",
        "/skerry/hello/-/pipelines",
        "/skerry/hello/-/pipelines/1",
        "/skerry/hello/-/jobs/1",
    ):
        page = admin.get(path).text
        assert "<img src=x" not in page, path
        assert "<script>" not in page, path
        assert "</pre>&#34;" not in page, path


def test_control_and_direction_characters_in_names_are_made_visible(site, core):
    _set(core, site.job, name="a\x1b[31mb\u202ec")
    page = site.visitor("guest").get("/skerry/hello/-/jobs/1").text
    assert "a␛[31mb␡c" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize(("name", "buttons"), [("guest", 0), ("reporter", 0), ("developer", 1), ("maintainer", 1)])
def test_buttons_are_shown_to_those_who_may_use_them(site, name, buttons):
    page = site.visitor(name).get("/skerry/hello/-/jobs/1").text
    assert page.count('action="/skerry/hello/-/jobs/1/cancel"') == buttons


def test_cancel_retry_and_erase_do_what_they_say(site, core):
    developer = site.visitor("developer")
    response = developer.post("/skerry/hello/-/jobs/1/cancel")
    assert (response.status_code, response.location) == (303, "/skerry/hello/-/jobs/1")
    assert core.session.get(type(site.job), 1).status == "canceled"
    response = developer.post("/skerry/hello/-/jobs/1/retry")
    assert response.location == "/skerry/hello/-/jobs/2"
    page = developer.get("/skerry/hello/-/jobs/2").text
    assert "Try 1 (#1)" in page
    assert "Try 2 (#2)" in page
    print_trace(core, 1, b"secret output")
    assert site.visitor("maintainer").post("/skerry/hello/-/jobs/1/erase").status_code == 303
    page = developer.get("/skerry/hello/-/jobs/1").text
    assert "were erased" in page
    assert "secret output" not in page


def test_a_manual_job_starts_with_the_variables_of_the_form(site, core):
    manual = make_job(core, site.pipeline, name="ship", stage="deploy", status="manual", when="manual")
    developer = site.visitor("developer")
    path = f"/skerry/hello/-/jobs/{manual.id}"
    assert "Start with variables" in developer.get(path).text
    response = developer.post(path + "/play", {"key": ["A", "", "B_1"], "value": ["1", "ignored", "<2>"], "back": path})
    assert response.location == path
    fresh = core.session.get(type(manual), manual.id)
    assert fresh.status == "pending"
    assert "B_1" in core.box.open(fresh.variables_sealed, fresh.seal_context)
    refused = developer.post(path + "/play", {"key": "no good", "value": "x", "back": path})
    assert refused.location == path
    assert "cannot name a variable" in developer.get(path).text


def test_what_cannot_be_done_is_said_on_the_page_it_came_from(site):
    developer = site.visitor("developer")
    back = "/skerry/hello/-/pipelines/1"
    response = developer.post("/skerry/hello/-/jobs/1/retry", {"back": back})
    assert (response.status_code, response.location) == (303, back)
    assert "notice failed" in developer.get(back).text
    assert developer.post("/skerry/hello/-/jobs/1/retry", {"back": "//evil.example"}).status_code == 409


@pytest.mark.parametrize("action", ["cancel", "retry", "play", "erase", "artifacts/keep"])
def test_a_reporter_changes_nothing(site, core, action):
    assert site.visitor("reporter").post(f"/skerry/hello/-/jobs/1/{action}").status_code in (403, 404)
    assert core.session.get(type(site.job), 1).status == "running"


def test_without_a_script_the_page_shows_the_end_of_the_log_as_plain_lines(site, core):
    log = (
        b"section_start:1:x\r\x1b[0K\x1b[36mHeader\x1b[0m\n10%\r50%\r100%\n" + b"line\n" * 20_000 + b"last <b>line</b>"
    )
    print_trace(core, 1, log)
    page = site.visitor("guest").get("/skerry/hello/-/jobs/1").text
    assert "last &lt;b&gt;line&lt;/b&gt;" in page
    assert "The end of the log." in page
    assert len(page) < 100_000


def test_runner_steps_and_durations_are_shown(site, core):
    runner, _ = make_runner(core, description="rock-1")
    _set(core, site.job, runner_id=runner.id)
    page = site.visitor("guest").get("/skerry/hello/-/jobs/1").text
    assert "Runs on runner rock-1." in page
    assert "data-since" in page


def test_a_manual_job_is_started_with_values_of_its_inputs(site, core):
    inputs = [
        {"name": "target", "value": '"moon"', "options": ['"moon"', '"mars"'], "description": "where to"},
        {"name": "count", "value": "1", "kind": "number"},
    ]
    job = make_job(core, site.pipeline, name="fly", when="manual", status="manual")
    _set(core, job, plan={**job.plan, "inputs": inputs})
    developer, path = site.visitor("developer"), f"/skerry/hello/-/jobs/{job.id}"
    page = developer.get(path).text
    assert '<option value="moon" selected>moon</option>' in page
    assert 'name="input:count" value="1"' in page
    assert developer.post(f"{path}/play", {"input:target": "mars", "input:count": "many"}).status_code == 400
    assert developer.post(f"{path}/play", {"input:target": "mars", "input:count": "2"}).status_code == 303
    core.session.refresh(job)
    assert [item["value"] for item in job.plan["inputs"]] == ['"mars"', "2"]
    assert job.status == "pending"


def test_a_job_runs_again_with_other_inputs_and_a_manual_one_with_variables(site, core):
    """The form holds the values of the last try, and names, without their values, the variables that it was given."""
    inputs = [{"name": "target", "value": '"moon"', "options": ['"moon"', '"mars"']}]
    job = make_job(core, site.pipeline, name="fly", when="manual", status="manual")
    _set(core, job, plan={**job.plan, "inputs": inputs})
    developer, path = site.visitor("developer"), "/skerry/hello/-/jobs"
    first = {"input:target": "mars", "key": ["SPEED", ""], "value": ["warp 9", ""]}
    assert developer.post(f"{path}/{job.id}/play", first).status_code == 303
    _set(core, job, status="failed", finished_at=core.now())
    page = developer.get(f"{path}/{job.id}").text
    form = page.partition("Run again with inputs and variables")[2].partition("</form>")[0]
    assert '<option value="mars" selected>mars</option>' in form
    assert ("<code>SPEED</code>" in form, "warp 9" in page) == (True, False)
    assert "Run again with" not in site.visitor("reporter").get(f"{path}/{job.id}").text
    wrong = developer.post(f"{path}/{job.id}/retry", {"input:target": "sun", "back": f"{path}/{job.id}"})
    assert (wrong.location, "not in the list" in developer.get(wrong.location).text) == (f"{path}/{job.id}", True)
    again = developer.post(f"{path}/{job.id}/retry", {"input:target": "moon", "key": "FUEL", "value": "full"})
    fresh = core.session.query(Job).order_by(Job.id.desc()).first()
    assert again.location == f"{path}/{fresh.id}"
    assert fresh.plan["inputs"][0]["value"] == '"moon"'
    assert [each.key for each in open_variables(core, fresh.variables_sealed, fresh.seal_context)] == ["FUEL"]
    plain = make_job(core, site.pipeline, name="plain", status="failed", finished_at=core.now())
    assert "Run again with" not in developer.get(f"{path}/{plain.id}").text, "one button is enough"
