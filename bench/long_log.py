"""The page of a job whose log has 100 MB and a million lines, in the browser, from a server as it is deployed.

What is measured begins when somebody opens the page and ends when the log's end is painted, which comes with the page,
and when it stands there drawn from the log itself, with its number; then the longest time for which the page stood
still while the log was scrolled through.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from app import create_app, crypto
from app.config import Config
from app.models import Job, write
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from app.services.runners.append_trace import append_trace
from app.services.runners.claim_job import JOB_TOKEN_PREFIX
from bench.place import Place
from bench.table import Row
from tests.databases import initialise_database
from tests.factories import make_job, make_pipeline, make_project
from tests.support.served import Served

ALONE = True
"""Needs no installation."""

RUNS = 5
LINES = 1_000_000
_TEXT = b"\x1b[32m%07d\x1b[0m the quick brown seal slides over the wet rock and into the sea, again and again ok"
_STANDSTILL = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ type: "longtask" });
}"""
#: Resolves when the line is in sight and drawn, with the milliseconds since the page was asked for.
_DRAWN = """(number) => new Promise((found, failed) => {
  setTimeout(() => failed(new Error(`line ${number} was not drawn within a minute`)), 60000);
  const look = () => {
    const line = document.querySelector(`[data-line="${number}"] .t`);
    const frame = document.querySelector(".log-scroll")?.getBoundingClientRect();
    const place = line?.getBoundingClientRect();
    if (frame && place?.height && place.top < frame.bottom && place.bottom > frame.top) found(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""


def run(place: Place | None) -> list[Row]:
    """Four rows: the end to be read, the end drawn, standing still while scrolling, and searching."""
    with _served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        samples = [_one(browser, f"{url}/skerry/long/-/jobs/1") for _ in range(RUNS)]
        browser.close()
    painted, drawn, still, searched = (tuple(sample[index] for sample in samples) for index in range(4))
    what = f"a log of {LINES * (len(_TEXT % 0) + 1) / 1e6:.0f} MB and {LINES:,} lines"
    return [
        Row(f"{what} opens: its end can be read", painted, "–", (), "1 s"),
        Row(f"{what} opens: its end is drawn with line numbers", drawn, "–", (), "1 s"),
        Row(f"{what}: longest standstill while it is scrolled", still, "–", (), "100 ms"),
        Row(f"{what}: all lines that hold a word are counted", searched, "–", (), "–"),
    ]


@contextmanager
def _served() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crypto.create_key_file(folder / "secret.key")
        database = f"sqlite:///{folder / 'skerry.db'}"
        initialise_database(database, folder)
        _fill(Config(data_dir=folder, database_url=database))
        served = Served(folder, database).start()
        try:
            yield served.url
        finally:
            served.close()


def _fill(config: Config) -> None:
    """A public project whose job has ended after printing a great deal, which arrived as it does from a runner."""
    app = create_app(config)
    with app.app_context():
        core = app.extensions["skerry"]
        job = make_job(core, make_pipeline(core, make_project(core, "skerry/long", visibility="public")))
        token, job_id, size = crypto.new_token(JOB_TOKEN_PREFIX), job.id, 0
        with write(core.session):
            row = core.session.get_one(Job, job_id)
            row.status, row.token_hash, row.started_at = "running", crypto.token_hash(token), core.now()
        for first in range(0, LINES, 10_000):
            lines = b"".join(_TEXT % number + b"\n" for number in range(first + 1, first + 10_001))
            size = append_trace(core, job_id, token, size, lines).size
        with write(core.session):
            finish(core, lock_job(core, job_id), "success")
    core.bus.stop()


def _one(browser: Browser, address: str) -> tuple[float, float, float, float]:
    """Seconds until the end is painted, until it is drawn, of the longest standstill, and until a search is done."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    # The page watches itself: asking it from outside, again and again, would take its time.
    page.add_init_script(f"window.drawn = ({_DRAWN})({LINES})")
    page.goto(address, wait_until="commit")
    drawn = page.evaluate("drawn") / 1000
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
    still = _scroll(page)
    page.locator("[data-log-search] input").fill("0999999 the quick")
    begun = page.evaluate("performance.now()")
    page.get_by_text("1 of 1 line").wait_for()
    searched = (page.evaluate("performance.now()") - begun) / 1000
    page.context.close()
    return painted, drawn, still, searched


def _scroll(page: Page) -> float:
    page.evaluate(_STANDSTILL)
    page.locator(".log-scroll").hover()
    for _ in range(40):
        page.mouse.wheel(0, -2500)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate("() => { location.hash = '#L500000'; }")
    page.evaluate(_DRAWN, 500_000)
    return float(page.evaluate("longest")) / 1000
