"""The first steps in the browser: a project with a pipeline to start from, a mirror, and a job that runs again."""

import pytest
from playwright.sync_api import Page, expect

from app.models import Job, write
from tests.browser.accessibility import serious_faults
from tests.browser.windows import Place
from tests.factories import make_job, make_pipeline, make_project

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("place")]


def test_a_new_project_asks_only_for_what_was_chosen_and_runs_its_first_pipeline(page: Page):
    page.goto("/-/projects/new")
    page.get_by_label("Path").fill("rocks/big")
    expect(page.get_by_label("Address to fetch it from")).to_be_hidden()
    page.get_by_label("Elsewhere").check()
    expect(page.get_by_label("Address to fetch it from")).to_be_visible()
    expect(page.get_by_role("group", name="Start with")).to_be_hidden()
    page.get_by_label("Here: you push").check()
    assert serious_faults(page) == []
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_text("git remote add skerry")).to_contain_text("/rocks/big.git")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious_faults(page) == []
    page.get_by_label("Shell:").check()
    page.get_by_role("button", name="Commit and run it").click()
    expect(page.get_by_role("status").first).to_contain_text("its pipeline runs")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_job_runs_again_with_another_value_of_its_input(page: Page, place: Place):
    core = place.core
    pipeline = make_pipeline(core, make_project(core, "rocks/moon", creator=place.admin), status="failed")
    job = make_job(core, pipeline, name="fly", status="failed", finished_at=core.now())
    job_id = job.id
    inputs = [{"name": "target", "value": '"moon"', "options": ['"moon"', '"mars"'], "description": "where to"}]
    with write(core.session):
        held = core.session.get_one(Job, job_id)
        held.plan = {**held.plan, "inputs": inputs}
    page.goto(f"/rocks/moon/-/jobs/{job_id}")
    page.get_by_text("Run again with inputs").press("Enter")
    expect(page.get_by_label("target")).to_have_value("moon")
    page.get_by_label("target").select_option("mars")
    page.get_by_role("button", name="Run again with these").click()
    page.wait_for_url(f"**/jobs/{job_id + 1}")
    core.session.rollback()
    assert core.session.get_one(Job, job_id + 1).plan["inputs"][0]["value"] == '"mars"'
