"""What people do with a log: search, times, choose lines, find the failure, by button and by key."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.models import Job, write
from tests.browser.accessibility import serious_faults
from tests.factories import print_trace

pytestmark = pytest.mark.browser
JOB = "/skerry/hello/-/jobs/1"
FAILED_LOG = (
    b"section_start:100:get_sources[collapsed=true]\r\x1b[0KGetting sources\nfetched a seal\n"
    b"section_end:104:get_sources\r\x1b[0K\n"
    b"section_start:104:step_script\r\x1b[0KExecuting\n\x1b[32;1m$ make test\x1b[0;m\n"
    + b"".join(b"line %d\n" % number for number in range(200))
    + b"section_start:110:units[collapsed=true]\r\x1b[0KUnits\n"
    b"\x1b[31mFAIL: the s\x1b[1mEAL\x1b[0m slides\nmake: *** Error 2\n"
    b"section_end:150:step_script\r\x1b[0K\nsection_start:150:cleanup_file_variables\r\x1b[0KTidying\n"
    b"section_end:151:cleanup_file_variables\r\x1b[0K\n\x1b[31;1mERROR: Job failed: exit code 2\x1b[0;m\n"
)


def _fail(site, log: bytes = FAILED_LOG) -> None:
    with write(site.core.session):
        job = site.core.session.get_one(Job, 1)
        job.failure_reason, job.exit_code = "script_failure", 2
    site.print(log)
    site.end("failed")


def _painted(page: Page) -> list[str]:
    return page.evaluate("[...CSS.highlights.get('log-found') || []].map(range => range.toString())")


def test_a_search_counts_in_folded_parts_opens_them_and_goes_on_while_the_job_prints(page, site):
    site.print(FAILED_LOG)
    page.goto(JOB)
    expect(page.locator(".line").last).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("seal")
    found = page.locator("[data-log-search] output")
    expect(found).to_have_text(re.compile("of 2 lines"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("fetched a seal")).to_be_in_viewport()
    expect(page.get_by_text("slides")).to_be_attached()
    assert sorted(_painted(page)) == ["sEAL", "seal"], "in any letters, across colours"
    page.get_by_role("button", name="Section get_sources").click()
    expect(found).to_contain_text("1 folded away")
    expect(page.locator(".line.section .hits").first).to_have_text("1 found")
    site.print(b"another Seal\n")
    expect(found).to_contain_text("of 3 lines")
    page.locator("[data-log-search] input").fill("no such thing")
    expect(found).to_have_text("Not found")
    page.keyboard.press("Escape")
    expect(page.locator("[data-log-search] input")).to_have_value("")
    assert _painted(page) == []


def test_every_line_has_its_time_from_the_runner_or_else_from_when_it_came(page, site):
    started = site.core.now().replace(microsecond=0)
    with write(site.core.session):
        site.core.session.get_one(Job, 1).started_at = started
    print_trace(site.core, 1, b"first\n", started.timestamp() + 5)
    print_trace(site.core, 1, b"later\n2026-08-22T00:44:03.123456Z 01O stamped\n", started.timestamp() + 65)
    page.goto(JOB)
    expect(page.locator(".line .t")).to_have_text(["first", "later", "stamped"])
    button = page.get_by_role("button", name="Times")
    expect(button).to_have_text("Times: off")
    page.keyboard.press("t")
    expect(button).to_have_text("Times: relative")
    times = page.locator(".line .at")
    expect(times.nth(0)).to_have_attribute("data-at", "0:05")
    expect(times.nth(1)).to_have_attribute("data-at", "1:05")
    button.click()
    button.click()
    expect(button).to_have_text("Times: UTC")
    expect(times.nth(2)).to_have_attribute("data-at", "00:44:03")
    page.reload()
    expect(button).to_have_text("Times: UTC")
    expect(times.nth(2)).to_have_attribute("data-at", "00:44:03")


def test_a_failed_job_shows_why_and_opens_the_section_that_failed(page, site, sign_in):
    _fail(site)
    sign_in(JOB)
    expect(page.locator("#job-head .sentence")).to_have_text(
        "The script failed with exit code 2 in section units at “make test”."
    )
    expect(page.locator("#failure pre")).to_contain_text("FAIL: the sEAL slides\nmake: *** Error 2")
    expect(page.locator(".line .t", has_text="FAIL: the")).to_be_visible()
    expect(page.get_by_text("fetched a seal")).to_be_hidden()
    page.get_by_role("button", name="Top").click()
    page.get_by_role("link", name="In the log").click()
    expect(page.locator(".line .t", has_text="make: *** Error 2")).to_be_in_viewport()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Follow the end")
    page.keyboard.press("Escape")
    page.keyboard.press("F")
    expect(page.locator(".log.full-screen")).to_be_visible()
    page.keyboard.press("F")
    page.keyboard.press("r")
    page.wait_for_url("**/-/jobs/2")


def test_chosen_lines_are_an_address_and_their_text_is_copied_without_numbers(page, site):
    site.print(b"zero\n\x1b[31mone\x1b[0m\n2%\rtwo\nthree\n")
    site.end()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(JOB)
    page.locator('[data-line="3"] .n').click()
    assert page.evaluate("location.hash") == "#L3"
    page.locator('[data-line="2"] .n').click(modifiers=["Shift"])
    assert page.evaluate("location.hash") == "#L2-L3"
    page.reload()
    expect(page.locator(".line.marked .t")).to_have_text(["one", "two"])
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "one\ntwo"
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.log-lines'))")
    assert page.evaluate("getSelection().toString()").split() == ["zero", "one", "two", "three"]
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate("location.hash") == ""
    expect(page.locator(".line.marked")).to_have_count(0)


def test_every_line_of_a_log_too_long_for_a_page_can_be_reached(page, site):
    count = 800_000
    site.print(b"section_start:1:all\r\x1b[0Kall\n" + b"".join(b"%07d seal\n" % n for n in range(2, count + 1)))
    site.end()
    page.goto(JOB)
    expect(page.locator(f'[data-line="{count}"]')).to_be_in_viewport()
    assert page.locator(".line").count() < 20_000, "only what is near is drawn"
    page.get_by_role("button", name="Top").click()
    expect(page.locator('[data-line="2"] .t')).to_have_text("0000002 seal")
    for number in (345_678, 799_998, 17):
        page.evaluate("line => { location.hash = `#L${line}`; }", number)
        expect(page.locator(f'[data-line="{number}"]')).to_be_in_viewport()
        expect(page.locator(".line.marked .t")).to_have_text(f"{number:07d} seal")
    page.locator(".log-scroll").evaluate("log => { log.scrollTop = log.scrollHeight; }")
    expect(page.locator(".beyond").last).to_be_hidden()  # the window has moved on to the end
    page.get_by_role("button", name="Fold all").click()
    expect(page.locator(".line:visible")).to_have_count(1)


def test_the_page_of_a_job_has_no_serious_fault_of_accessibility(page, site, sign_in):
    _fail(site)
    sign_in(JOB)
    page.keyboard.press("t")
    page.locator('[data-line="210"] .n').click()
    page.locator("[data-log-search] input").fill("seal")
    expect(page.locator("[data-log-search] output")).to_contain_text("of 2 lines")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious_faults(page) == [], scheme
