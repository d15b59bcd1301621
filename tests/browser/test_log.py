"""The log in the browser: live, complete, foldable, and harmless."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.dashboard import streams

pytestmark = pytest.mark.browser


def _lines(page: Page) -> list[str]:
    return page.locator(".log-lines .line .t").all_inner_texts()


def _scroller(page: Page, expression: str):
    return page.locator(".log-scroll").evaluate(f"log => {expression}")


def test_the_log_grows_while_the_job_runs_and_the_page_shows_its_end(log_window, log):
    log_window.goto(log.address)
    expect(log_window.get_by_text("No output yet.")).to_be_visible()
    log.print(b"first line\nhalf a ")
    expect(log_window.locator(".line")).to_have_count(2)
    log.print("line, an ümlaut cut in two: \xfc".encode()[:-1])
    log.print("\xfc".encode()[1:] + b"\n")
    expect(log_window.locator(".line .t").nth(1)).to_have_text("half a line, an ümlaut cut in two: ü")
    log.end()
    expect(log_window.locator("#job-head .status")).to_have_text("passed")
    expect(log_window).to_have_title(re.compile("^passed: unit"))
    assert "favicon-success" in log_window.locator("#favicon").get_attribute("href")


def test_a_stream_that_breaks_again_and_again_loses_and_repeats_nothing(log_window, log, monkeypatch):
    whole = streams._events

    def breaking(*given):
        yield b"retry: 20\n\n"
        pieces = whole(*given)
        next(pieces)
        for _ in range(2):
            yield next(pieces)

    monkeypatch.setattr(streams, "_events", breaking)
    log_window.goto(log.address)
    for number in range(6):
        log.print(b"line %d\nhalf" % number)
        expect(log_window.locator(".line")).to_have_count(number + 2)
    log.print(b"\n")
    expect(log_window.locator("[data-log-note]")).to_contain_text("7 lines")
    assert _lines(log_window) == ["line 0", *[f"halfline {number}" for number in range(1, 6)], "half"]


def test_a_log_that_begins_anew_is_shown_anew(log_window, log):
    log.print(b"old\n" * 50)
    log_window.goto(log.address)
    expect(log_window.locator(".line")).to_have_count(50)
    log.forget_log()
    log.print(b"new\n")
    expect(log_window.locator(".line")).to_have_count(1)
    assert _lines(log_window) == ["new"]


def test_following_lets_go_when_somebody_scrolls_up_and_comes_back_at_the_end(log_window, log):
    log.print(b"line\n" * 300)
    log_window.goto(log.address)
    follow = log_window.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(log_window.locator('[data-line="300"]')).to_be_in_viewport()
    log_window.locator(".log-scroll").hover()
    log_window.mouse.wheel(0, -1500)
    expect(follow).to_have_attribute("aria-pressed", "false")
    top = _scroller(log_window, "log.scrollTop")
    log.print(b"more\n" * 50)
    expect(log_window.locator("[data-log-note]")).to_contain_text("350 lines")
    assert _scroller(log_window, "log.scrollTop") == top
    log_window.get_by_role("button", name="End").click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(log_window.locator('[data-line="350"]')).to_be_in_viewport()


def test_colours_progress_and_links_are_shown_and_only_web_addresses_are_links(log_window, log):
    log.print(
        b"\x1b[31;1mred\x1b[0m \x1b[38;5;208morange\x1b[0m \x1b[48;2;1;2;3mdeep\x1b[0m\n"
        b"10%\r90%\r100%\n"
        b"see https://example.com/a?b=c. or javascript:alert(1) or \x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07\n"
        b"\x1b[38:2::255:128:0msand\x1b[0m \x1b[4:3mwavy\x1b[0m \x1b[58;5;1mlined\x1b[0m \x1b[38;5;18mnight\x1b[0m\n"
    )
    log.end()
    log_window.goto(log.address)
    expect(log_window.locator(".line")).to_have_count(4)
    expect(log_window.locator(".line").first.locator(".f9")).to_have_text("red")

    def style(word: str, name: str) -> str:
        return log_window.get_by_text(word).last.evaluate(f"e => getComputedStyle(e).{name}")

    assert style("orange", "color") == "rgb(255, 135, 0)"
    assert style("deep", "backgroundColor") == "rgb(1, 2, 3)"
    assert style("sand", "color") == "rgb(255, 128, 0)", "with colons, as the standard has it"
    assert (style("wavy", "fontStyle"), style("wavy", "textDecorationLine")) == ("normal", "underline")
    assert style("lined", "fontWeight") == "400", "the colour of an underline is no style of its own"
    assert min(map(int, re.findall(r"\d+", style("night", "color")))) > 90, "too dark to be read on a dark ground"
    assert _lines(log_window)[1:3] == ["100%", "see https://example.com/a?b=c. or javascript:alert(1) or click"]
    links = log_window.locator(".line .t a")
    expect(links).to_have_count(1)
    assert links.get_attribute("href") == "https://example.com/a?b=c"
    assert "noopener" in links.get_attribute("rel")


def test_sections_fold_and_say_how_long_they_took(log_window, log):
    log.print(
        b"section_start:100:get[collapsed=true]\r\x1b[0KGetting\ninside one\ninside two\n"
        b"section_end:165:get\r\x1b[0Ksection_start:165:run\r\x1b[0KRunning\nvisible\nsection_end:170:run\r\x1b[0K\n"
        b"last" + b" of many words" * 100 + b"\n"
    )
    log.end()
    log_window.goto(log.address)
    expect(log_window.get_by_text("inside one")).to_be_hidden()
    expect(log_window.get_by_text("visible", exact=True)).to_be_visible()
    took = log_window.locator(".line.section .took")
    expect(took).to_have_text(["1 min 5 s", "5 s"])
    edge = _scroller(log_window, "log.getBoundingClientRect().right")
    assert took.first.bounding_box()["x"] < edge, "in sight beside lines that are longer than the page is wide"
    log_window.get_by_role("button", name="Section get").click()
    expect(log_window.get_by_text("inside two")).to_be_visible()
    log_window.get_by_role("button", name="Section run").click()
    expect(log_window.get_by_text("visible", exact=True)).to_be_hidden()
    expect(log_window.get_by_text("last of many")).to_be_visible()


def test_without_a_script_the_end_of_the_log_can_be_read(chromium, log):
    log.print(b"line\n" * 500 + b"\x1b[31mplain\x1b[0m text\n")
    context = chromium.new_context(base_url=log.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(log.address)
    expect(page.locator(".log-plain")).to_contain_text("line\nplain text")
    bottom = _scroller(page, "log.getBoundingClientRect().bottom")
    assert _scroller(page, "log.firstElementChild.getBoundingClientRect().bottom") <= bottom, "its end is in sight"
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    context.close()


def test_a_growing_log_keeps_its_lines_and_colours_when_what_is_far_away_is_emptied(log_window, log):
    log_window.goto(log.address)
    expect(log_window.get_by_text("No output yet.")).to_be_visible()
    log.print(b"\x1b[32m")
    for part in range(2):
        log.print(b"".join(b"line %d\n" % number for number in range(part * 4000, part * 4000 + 4000)))
    expect(log_window.locator('[data-line="8000"]')).to_be_in_viewport()
    assert log_window.locator(".line").count() < 2500, "only what is near has elements"
    log_window.locator("[data-log-top]").click()
    expect(log_window.locator('[data-line="1"] .t .f2')).to_have_text("line 0")
    log_window.evaluate("location.hash = '#L4300'")
    expect(log_window.locator('[data-line="4300"] .t .f2')).to_have_text("line 4299")
    log.print(b"no end of line")
    log.end()
    log_window.locator("[data-log-end]").click()
    expect(log_window.locator('[data-line="8001"] .t')).to_have_text("no end of line")
