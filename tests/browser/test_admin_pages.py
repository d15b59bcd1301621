"""Settings and administration in the browser: the flows with a secret or an end in them, and every page's width."""

import re

import pytest
from playwright.sync_api import expect

from app.models import Project, Runner
from app.services.projects.measure_usage import measure_usage
from tests.browser.accessibility import serious_faults
from tests.factories import make_job, make_manager, make_project, make_runner

pytestmark = pytest.mark.browser
SETTINGS = "/skerry/hello/-/settings"
PAGES = (
    *(f"{SETTINGS}{rest}" for rest in ("", "/protected_refs", "/triggers", "/badges", "/ci_cd")),
    *(f"/skerry/hello/-/{rest}" for rest in ("project_members", "runners", "audit")),
    *(f"/-/admin/{rest}" for rest in ("runners", "queue", "storage", "users", "audit")),
    *("/-/profile", "/-/profile/tokens", "/-/board"),
    *(f"/-/groups/skerry/-/{rest}" for rest in ("settings", "members", "settings/ci_cd", "runners")),
    *("/-/admin/variables", "/-/profile/sessions", "/-/groups/new", "/rocks", "/-/jobs"),
)
#: One page of each kind: looking into one takes a while.
LOOKED_INTO = (
    *(SETTINGS, f"{SETTINGS}/protected_refs", f"{SETTINGS}/badges", *PAGES[8:11], "/-/admin/audit", "/-/board"),
    *("/-/groups/skerry/-/settings/ci_cd", "/-/profile/sessions", "/rocks"),
)


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


def test_the_pages_fit_a_phone_and_everyone_can_use_them(page, site, sign_in):
    long = "a-name-without-any-place-to-break-it-" * 3
    make_runner(site.core, description=long, tags=[long])
    make_job(site.core, site.pipeline, name=long, status="pending", tags=[long])
    make_project(site.core, f"rocks/{long[:60]}", creator=site.admin)
    measure_usage(site.core)
    sign_in("/")
    for number, path in enumerate(PAGES):
        page.set_viewport_size({"width": 390, "height": 800})
        page.emulate_media(color_scheme=("light", "dark")[number % 2])
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if path in LOOKED_INTO:
            page.set_viewport_size({"width": 1280, "height": 800})
            assert serious_faults(page) == [], path
