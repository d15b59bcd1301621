"""Everything by the keyboard: rows, places, actions, the palette, the list of keys."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_faults
from tests.factories import make_job, make_pipeline

pytestmark = pytest.mark.browser
PIPELINE, JOB = "/skerry/hello/-/pipelines/1", "/skerry/hello/-/jobs/1"


def test_the_keyboard_alone_leads_through_a_project(page, site, sign_in):
    make_job(site.core, site.pipeline, name="zip", stage="test", status="running", started_at=site.core.now())
    make_pipeline(site.core, site.project, user=site.admin, status="success")
    sign_in("/")
    press = page.keyboard.press
    press("j")
    expect(page.locator(".rows").get_by_role("link", name="skerry/hello")).to_be_focused()
    press("Enter")
    page.wait_for_url("**/skerry/hello")
    press("g")
    press("p")
    page.wait_for_url("**/-/pipelines")
    for key, number in (("j", "#2"), ("j", "#1"), ("j", "#1"), ("k", "#2"), ("j", "#1")):
        press(key)
        expect(page.locator("tr:focus-within")).to_contain_text(number)
    press("Enter")
    page.wait_for_url(f"**{PIPELINE}")
    press("]")
    page.wait_for_url("**/-/pipelines/2")
    press("[")
    page.wait_for_url(f"**{PIPELINE}")
    page.goto(JOB)
    press("]")
    page.wait_for_url("**/-/jobs/2")
    page.goto(JOB)
    page.goto(PIPELINE)
    page.evaluate("window.confirm = text => { window.asked = text; return true; }")
    press("c")
    expect(page.locator("#pipeline-head .status")).to_have_text("canceled")
    assert page.evaluate("window.asked")
    press("r")
    expect(page.locator(".job-card", has_text="zip")).to_contain_text("try 2")
    press("g")
    press("s")
    page.wait_for_url("**/-/settings")


def test_the_palette_and_the_list_of_keys_are_dialogs_that_leave_typing_alone(page, site, sign_in):
    sign_in("/-/projects/new")
    page.get_by_label("Path").fill("")
    page.keyboard.type("g?/jk")
    expect(page.get_by_label("Path")).to_have_value("g?/jk")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="skerry/hello")).to_be_visible()
    assert serious_faults(page) == []
    page.keyboard.type("hello")
    expect(page.get_by_role("option", name="Pipelines of skerry/hello")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator('[aria-selected="true"]')).to_contain_text("Pipelines of")
    page.keyboard.press("Enter")
    page.wait_for_url("**/skerry/hello/-/pipelines")
    page.keyboard.press("?")
    keys = page.locator("dialog", has_text="Keys")
    expect(keys).to_contain_text("Wall board")
    page.keyboard.press("j")
    expect(page.locator("tr:focus-within")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.get_by_role("button", name="Go to…").click()
    page.keyboard.type("no such thing")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("Nothing fits.")
    field.fill("")
    expect(page.get_by_role("option", name="skerry/hello")).to_be_visible()
    page.keyboard.press("ArrowDown")
    chosen = page.locator('[aria-selected="true"]')
    expect(chosen).to_contain_text("Projects")
    field.evaluate('one => { document.querySelector("#palette-list a").dataset.old = ""; one.blur(); one.focus(); }')
    expect(page.locator("[data-old]")).to_have_count(0)
    assert "Projects" in chosen.inner_text(), "the same answer once more leaves the choice alone"
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.wait_for_url("**/skerry/hello")  # not the row of the answer before


def test_whoever_asked_is_notified_when_a_hidden_page_ends(page, site, sign_in):
    page.context.grant_permissions(["notifications"], origin=site.url)
    page.add_init_script(
        """
        window.told = [];
        window.Notification = class extends EventTarget {
          static permission = "granted";
          static requestPermission = async () => "granted";
          constructor(title) { super(); window.told.push(title); }
        };
        """
    )
    sign_in("/-/profile")
    page.get_by_role("button", name="Notify me").click()
    expect(page.get_by_role("button", name="Stop notifying me")).to_be_visible()
    with page.expect_response(lambda response: "/events" in response.url):  # the page listens from then on
        page.goto(JOB)
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    site.end("failed")
    expect(page).to_have_title("failed: unit (#1) · skerry/hello · Skerry")
    assert page.evaluate("window.told") == ["failed: unit (#1) · skerry/hello · Skerry"]
