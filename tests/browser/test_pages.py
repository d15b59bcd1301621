"""Forms and live pages in the browser."""

import pytest
from playwright.sync_api import expect

from app.models import Job, write
from tests.browser.windows import watched_window
from tests.factories import make_job

pytestmark = pytest.mark.browser
PIPELINE = "/skerry/hello/-/pipelines/1"


def test_signing_in_leads_back_to_the_page_that_asked(page, site):
    page.goto("/-/profile/tokens")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("User name")).to_have_value("admin")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Access tokens")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("signed out")


def test_cancel_acts_in_place(page, site, sign_in):
    sign_in("/skerry/hello/-/jobs/1")
    page.evaluate("window.mark = 1")
    page.route("**/cancel", lambda route: route.abort())
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#messages")).to_contain_text("The server does not answer.")
    page.unroute("**/cancel")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#job-head .status")).to_have_text("canceled")
    expect(page.locator("#messages")).to_contain_text("being canceled")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert page.evaluate("window.mark") == 1, "the page was not loaded again"
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url("**/-/jobs/2")
    expect(page.locator("#job-side")).to_contain_text("Try 2 (#2)")


def test_a_focused_button_keeps_the_focus_when_its_region_is_exchanged(page, site, sign_in):
    make_job(site.core, site.pipeline, name="lint", stage="test", status="running")
    sign_in(PIPELINE)
    page.get_by_role("button", name="Cancel lint").focus()
    with write(site.core.session):
        job = site.core.session.get_one(Job, 1)
        job.status, job.updated_at = "success", site.core.now()
    from app.events.base import Notice

    site.core.bus.publish(Notice("pipeline:1"))
    expect(page.locator(".job-card", has_text="unit")).to_contain_text("passed")
    expect(page.get_by_role("button", name="Cancel lint")).to_be_focused()


def test_a_manual_job_starts_with_variables(page, site, sign_in):
    manual = make_job(site.core, site.pipeline, name="ship", stage="deploy", status="manual", when="manual")
    sign_in(f"/skerry/hello/-/jobs/{manual.id}")
    expect(page.locator("#job-head")).to_contain_text("Waits for somebody to start it.")
    page.get_by_text("Start with variables").click()
    page.get_by_label("Key 1").fill("TARGET")
    page.get_by_label("Value 1").fill("production")
    page.get_by_role("button", name="Start with these").click()
    expect(page.locator("#job-head .status")).to_have_text("pending")
    manual_id = int(page.url.rsplit("/", 1)[1])
    site.core.session.rollback()
    fresh = site.core.session.get_one(Job, manual_id)
    assert "production" in site.core.box.open(fresh.variables_sealed, fresh.seal_context)


def test_a_question_is_asked_before_something_is_destroyed(page, site, sign_in):
    site.print(b"secret\n")
    site.end()
    sign_in("/skerry/hello/-/jobs/1")
    page.evaluate("window.confirm = text => { window.asked = text; return false; }")
    page.get_by_role("button", name="Erase").click()
    assert "for good" in page.evaluate("window.asked")
    assert site.core.traces.size(1) > 0
    page.evaluate("window.confirm = () => true")
    page.get_by_role("button", name="Erase").click()
    expect(page.locator("#job-head")).to_contain_text("were erased")


def test_the_keyboard_reaches_the_content_first(page, site):
    page.goto("/skerry/hello/-/jobs/1")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_a_breach_of_the_content_policy_fails_the_test_that_sees_it(chromium, site):
    add = "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))"
    with pytest.raises(AssertionError), watched_window(chromium, site.url) as page:
        page.goto("/-/sign_in")
        page.evaluate(add)
        ran = page.evaluate("window.ran || 0")
    assert ran == 0
