"""The log in the browser: live, complete, foldable, and harmless."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from app.dashboard import streams

pytestmark = pytest.mark.browser
JOB = "/skerry/hello/-/jobs/1"


def _lines(page: Page) -> list[str]:
    return page.locator(".log-lines .line .t").all_inner_texts()


def test_the_log_grows_while_the_job_runs_and_the_page_shows_its_end(page, site):
    page.goto(JOB)
    expect(page.get_by_text("No output yet.")).to_be_visible()
    site.print(b"first line\nhalf a ")
    expect(page.locator(".line")).to_have_count(2)
    site.print("line, an ümlaut cut in two: \xfc".encode()[:-1])
    site.print("\xfc".encode()[1:] + b"\n")
    expect(page.locator(".line .t").nth(1)).to_have_text("half a line, an ümlaut cut in two: ü")
    site.end()
    expect(page.locator("#job-head .status")).to_have_text("passed")
    expect(page).to_have_title(re.compile("^passed: unit"))
    assert "favicon-success" in page.locator("#favicon").get_attribute("href")
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)  # nobody is signed in


def test_a_stream_that_breaks_again_and_again_loses_and_repeats_nothing(page, site, monkeypatch):
    whole = streams._events

    def breaking(*given):
        yield b"retry: 20\n\n"
        pieces = whole(*given)
        next(pieces)
        for _ in range(2):
            yield next(pieces)

    monkeypatch.setattr(streams, "_events", breaking)
    page.goto(JOB)
    for number in range(12):
        site.print(b"line %d\nhalf" % number)
        time.sleep(0.03)
    site.print(b"\n")
    expect(page.locator(".line .t").last).to_have_text("half")
    assert _lines(page) == ["line 0", *[f"halfline {number}" for number in range(1, 12)], "half"]


def test_a_log_that_begins_anew_is_shown_anew(page, site):
    site.print(b"old\n" * 50)
    page.goto(JOB)
    expect(page.locator(".line")).to_have_count(50)
    site.forget_log()
    site.print(b"new\n")
    expect(page.locator(".line")).to_have_count(1)
    assert _lines(page) == ["new"]


def test_following_lets_go_when_somebody_scrolls_up_and_comes_back_at_the_end(page, site):
    site.print(b"line\n" * 300)
    page.goto(JOB)
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".line")).to_have_count(300)
    page.locator(".log-scroll").hover()
    page.mouse.wheel(0, -1500)
    expect(follow).to_have_attribute("aria-pressed", "false")
    top = page.locator(".log-scroll").evaluate("log => log.scrollTop")
    site.print(b"more\n" * 50)
    expect(page.locator(".line")).to_have_count(350)
    assert page.locator(".log-scroll").evaluate("log => log.scrollTop") == top
    page.get_by_role("button", name="End").click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".line").last).to_be_in_viewport()


def test_sections_fold_and_say_how_long_they_took(page, site):
    site.print(
        b"section_start:100:get[collapsed=true]\r\x1b[0KGetting\ninside one\ninside two\n"
        b"section_end:165:get\r\x1b[0Ksection_start:165:run\r\x1b[0KRunning\nvisible\nsection_end:170:run\r\x1b[0K\nlast\n"
    )
    site.end()
    page.goto(JOB)
    expect(page.get_by_text("inside one")).to_be_hidden()
    expect(page.get_by_text("visible", exact=True)).to_be_visible()
    expect(page.locator(".line.section .took")).to_have_text(["1 min 5 s", "5 s"])
    page.get_by_role("button", name="Section get").click()
    expect(page.get_by_text("inside two")).to_be_visible()
    page.get_by_role("button", name="Section run").click()
    expect(page.get_by_text("visible", exact=True)).to_be_hidden()
    expect(page.get_by_text("last", exact=True)).to_be_visible()


def test_without_a_script_the_end_of_the_log_can_be_read(chromium, site):
    site.print(b"line\n" * 500 + b"\x1b[31mplain\x1b[0m text\n")
    context = chromium.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(JOB)
    expect(page.locator(".log-plain")).to_contain_text("line\nplain text")
    log = page.locator(".log-scroll")
    assert log.evaluate("log => log.firstElementChild.getBoundingClientRect().bottom") <= log.evaluate(
        "log => log.getBoundingClientRect().bottom"
    ), "its end is in sight"
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    context.close()


def test_a_growing_log_keeps_its_lines_and_colours_when_blocks_are_emptied_and_drawn_again(page, site):
    page.goto(JOB)
    expect(page.get_by_text("No output yet.")).to_be_visible()
    site.print(b"\x1b[32m")
    for part in range(3):
        site.print(b"".join(b"line %d\n" % number for number in range(part * 3000, part * 3000 + 3000)))
    expect(page.locator('[data-line="9000"]')).to_be_in_viewport()
    page.locator("[data-log-top]").click()
    expect(page.locator('[data-line="1"] .t')).to_have_text("line 0")
    page.locator("[data-log-end]").click()
    expect(page.locator('[data-line="9000"] .t')).to_have_text("line 8999")
    page.locator("[data-log-top]").click()
    expect(page.locator('[data-line="300"] .t .f2')).to_have_text("line 299")
    assert page.locator(".line").count() < 8000, "blocks far away are emptied"
    site.print(b"no end of line")
    site.end()
    page.locator("[data-log-end]").click()
    expect(page.locator('[data-line="9001"] .t')).to_have_text("no end of line")
