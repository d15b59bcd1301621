"""Settings and administration in the browser: the flows with a secret or an end in them, and long names."""

import re

import pytest
from playwright.sync_api import expect

from app.models import Project, Runner
from app.services.projects.measure_usage import measure_usage
from tests.factories import make_job, make_manager, make_project, make_runner

pytestmark = pytest.mark.browser
SETTINGS = "/skerry/hello/-/settings"


def test_a_runner_is_made_drained_and_looked_at_while_its_token_stays_in_view(page, site, sign_in):
    sign_in("/-/admin/runners")
    page.get_by_label("Description").fill("rock <b>")
    page.get_by_role("textbox", name="Tags").fill("gpu")
    page.get_by_role("button", name="Create runner").click()
    token = page.locator("code", has_text=re.compile("^glrt-"))
    expect(token).to_be_visible()
    row = page.locator("#runners tr", has_text="rock <b>")
    expect(row).to_contain_text("It has never connected")
    session = site.core.session
    make_manager(site.core, session.query(Runner).one(), version="9.9.9")
    make_job(site.core, site.pipeline, status="running", runner_id=session.query(Runner).one().id)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(row).to_contain_text("9.9.9", timeout=30_000)
    expect(token).to_be_visible()
    page.goto("/-/admin/runners")
    expect(page.locator("code", has_text=re.compile("^glrt-"))).to_have_count(0)
    page.get_by_role("button", name="Drain runner #1").click()
    expect(row).to_contain_text("Draining: one job still at work.")


def test_a_project_is_deleted_only_by_typing_its_path(page, site, sign_in):
    sign_in(SETTINGS)
    page.get_by_label("Type skerry/hello to confirm").fill("hello")
    page.get_by_role("button", name="Delete project").click()
    expect(page.get_by_text("Type skerry/hello, exactly so.")).to_be_visible()
    page.get_by_label("Type skerry/hello to confirm").fill("skerry/hello")
    page.get_by_role("button", name="Delete project").click()
    expect(page.get_by_role("status").first).to_contain_text("skerry/hello is deleted.")
    site.core.session.rollback()
    assert site.core.session.query(Project).count() == 0


def test_names_without_any_place_to_break_fit_a_phone(page, site, sign_in):
    long = "a-name-without-any-place-to-break-it-" * 3
    make_runner(site.core, description=long, tags=[long])
    make_job(site.core, site.pipeline, name=long, status="pending", tags=[long])
    make_project(site.core, f"rocks/{long[:60]}", creator=site.admin)
    measure_usage(site.core)
    sign_in("/")
    page.set_viewport_size({"width": 390, "height": 800})
    for path in (
        *(f"/-/admin/{rest}" for rest in ("runners", "queue", "storage")),
        "/skerry/hello/-/runners",
        "/-/board",
    ):
        page.goto(path)
        expect(page.get_by_role("main").get_by_text("a-name-without").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
