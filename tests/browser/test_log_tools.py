"""What people do with a log: search, times, choose lines, find the failure, by button and by key."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.models import Job, write
from tests.browser.conftest import Site
from tests.factories import print_trace

pytestmark = pytest.mark.browser


def _failed_log(lines: int) -> bytes:
    return (
        b"section_start:100:get_sources[collapsed=true]\r\x1b[0KGetting sources\nfetched a seal\n"
        b"section_end:104:get_sources\r\x1b[0K\n"
        b"section_start:104:step_script\r\x1b[0KExecuting\n\x1b[32;1m$ make test\x1b[0;m\n"
        + b"".join(b"line %d\n" % number for number in range(lines))
        + b"section_start:110:units[collapsed=true]\r\x1b[0KUnits\n"
        b"\x1b[31mFAIL: the s\x1b[1mEAL\x1b[0m slides\nmake: *** Error 2\n"
        b"section_end:150:step_script\r\x1b[0K\nsection_start:150:cleanup_file_variables\r\x1b[0KTidying\n"
        b"section_end:151:cleanup_file_variables\r\x1b[0K\n\x1b[31;1mERROR: Job failed: exit code 2\x1b[0;m\n"
    )


#: Scrolls down until nothing comes any more.
_TO_THE_END = """() => new Promise((done) => {
  const log = document.querySelector(".log-scroll");
  let frames = 0;
  const scroll = () => {
    log.scrollTop = log.scrollHeight;
    if (log.querySelector(".log-lines > .beyond:last-of-type").hidden || ++frames > 1000) done();
    else requestAnimationFrame(scroll);
  };
  scroll();
})"""


def _fail(log: Site, lines: int) -> None:
    with write(log.core.session):
        job = log.core.session.get_one(Job, log.job.id)
        job.failure_reason, job.exit_code = "script_failure", 2
    log.print(_failed_log(lines))
    log.end("failed")


def _painted(page: Page) -> list[str]:
    return page.evaluate("[...CSS.highlights.get('log-found') || []].map(range => range.toString())")


def test_a_search_counts_in_folded_parts_opens_them_and_goes_on_while_the_job_prints(log_window, log):
    log.print(_failed_log(60))
    log_window.goto(log.address)
    expect(log_window.locator(".line").last).to_be_visible()
    log_window.keyboard.press("/")
    log_window.keyboard.type("seal")
    found = log_window.locator("[data-log-search] output")
    expect(found).to_have_text(re.compile("of 2 lines"))
    log_window.keyboard.press("Enter")
    expect(log_window.get_by_text("fetched a seal")).to_be_in_viewport()
    expect(log_window.get_by_text("slides")).to_be_attached()
    assert sorted(_painted(log_window)) == ["sEAL", "seal"], "in any letters, across colours"
    log_window.get_by_role("button", name="Section get_sources").click()
    expect(found).to_contain_text("1 folded away")
    expect(log_window.locator(".line.section .hits").first).to_have_text("1 found")
    log.print(b"another Seal\n")
    expect(found).to_contain_text("of 3 lines")
    log_window.locator("[data-log-search] input").fill("no such thing")
    expect(found).to_have_text("Not found")
    log_window.keyboard.press("Escape")
    expect(log_window.locator("[data-log-search] input")).to_have_value("")
    assert _painted(log_window) == []


def test_every_line_has_its_time_from_the_runner_or_else_from_when_it_came(log_window, log):
    started = log.core.now().replace(microsecond=0)
    with write(log.core.session):
        log.core.session.get_one(Job, log.job.id).started_at = started
    print_trace(log.core, log.job.id, b"first\n", started.timestamp() + 5)
    stamped = b"later\n2026-08-22T00:44:03.123456Z 01O stamped\n"
    print_trace(log.core, log.job.id, stamped, started.timestamp() + 65)
    log_window.goto(log.address)
    expect(log_window.locator(".line .t")).to_have_text(["first", "later", "stamped"])
    button = log_window.get_by_role("button", name="Times")
    expect(button).to_have_text("Times: off")
    log_window.keyboard.press("t")
    expect(button).to_have_text("Times: relative")
    times = log_window.locator(".line .at")
    expect(times.nth(0)).to_have_attribute("data-at", "0:05")
    expect(times.nth(1)).to_have_attribute("data-at", "1:05")
    button.click()
    button.click()
    expect(button).to_have_text("Times: UTC")
    expect(times.nth(2)).to_have_attribute("data-at", "00:44:03")
    log_window.reload()
    expect(button).to_have_text("Times: UTC")
    expect(times.nth(2)).to_have_attribute("data-at", "00:44:03")
    button.click()
    expect(button).to_have_text("Times: off")


def test_chosen_lines_are_an_address_and_their_text_is_copied_without_numbers(log_window, log):
    log.print(b"zero\n\x1b[31mone\x1b[0m\n2%\rtwo\nthree\n")
    log.end()
    log_window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_window.goto(log.address)
    log_window.locator('[data-line="3"] .n').click()
    assert log_window.evaluate("location.hash") == "#L3"
    log_window.locator('[data-line="2"] .n').click(modifiers=["Shift"])
    assert log_window.evaluate("location.hash") == "#L2-L3"
    log_window.reload()
    expect(log_window.locator(".line.marked .t")).to_have_text(["one", "two"])
    log_window.get_by_role("button", name="Copy text").click()
    expect(log_window.get_by_role("button", name="Copied")).to_be_visible()
    assert log_window.evaluate("navigator.clipboard.readText()") == "one\ntwo"
    log_window.evaluate("getSelection().selectAllChildren(document.querySelector('.log-lines'))")
    assert log_window.evaluate("getSelection().toString()").split() == ["zero", "one", "two", "three"]
    log_window.get_by_role("button", name="Clear").click()
    assert log_window.evaluate("location.hash") == ""
    expect(log_window.locator(".line.marked")).to_have_count(0)


@contextmanager
def _small_browser(window: Page) -> Iterator[None]:
    """A page shows 5000 lines at once, as if the browser could not show more; really it is 600,000."""
    script = (Path(__file__).parents[2] / "static/js/log/window.js").read_text()
    smaller = script.replace("MOST = 12_000_000", "MOST = 100_000").replace("STACK = 32", "STACK = 1")
    assert len(script) - len(smaller) == 4
    pattern = re.compile(r"/js/log/window\b")
    window.route(pattern, lambda route: route.fulfill(body=smaller, content_type="text/javascript"))
    yield
    window.unroute(pattern)


def test_every_line_of_a_log_too_long_for_a_page_can_be_reached(log_window, log):
    count = 30_000
    log.print(b"section_start:1:all\r\x1b[0Kall\n" + b"".join(b"%07d seal\n" % n for n in range(2, count + 1)))
    log.end()
    with _small_browser(log_window):
        log_window.goto(log.address)
    expect(log_window.locator(f'[data-line="{count}"]')).to_be_in_viewport()
    assert log_window.locator(".line").count() < 1000, "only what is near is drawn"
    log_window.get_by_role("button", name="Top").click()
    expect(log_window.locator('[data-line="2"] .t')).to_have_text("0000002 seal")
    for number in (14_567, 29_998, 17):
        log_window.evaluate("line => { location.hash = `#L${line}`; }", number)
        expect(log_window.locator(f'[data-line="{number}"]')).to_be_in_viewport()
        expect(log_window.locator(".line.marked .t")).to_have_text(f"{number:07d} seal")
    log_window.evaluate(_TO_THE_END)  # the window moves along
    expect(log_window.locator(".beyond").last).to_be_hidden()
    log_window.get_by_role("button", name="Fold all").click()
    expect(log_window.locator(".line:visible")).to_have_count(1)


def test_a_log_that_grows_too_long_for_a_page_is_still_followed(log_window, log):
    with _small_browser(log_window):
        log_window.goto(log.address)
    expect(log_window.get_by_text("No output yet.")).to_be_visible()
    for end in (4000, 6000, 8000):
        log.print(b"".join(b"line %d\n" % number for number in range(end - (4000 if end == 4000 else 2000), end)))
        expect(log_window.locator(f'[data-line="{end}"]')).to_be_in_viewport()
    expect(log_window.locator(".beyond").first).to_be_visible()
    expect(log_window.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")


def test_lines_at_the_end_of_a_running_log_can_be_linked_to(log_window, log):
    log.print(b"".join(b"line %d\n" % number for number in range(1, 301)))
    log_window.goto(f"{log.address}#L120-L140")
    expect(log_window.locator('[data-line="120"]')).to_be_in_viewport()
    expect(log_window.locator(".line.marked")).to_have_count(21)
    expect(log_window.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
