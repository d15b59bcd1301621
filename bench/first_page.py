"""The first page that somebody sees, with a million jobs in the database: what travels, how long the server takes.

The bytes are those of a browser that has never been here: the page and all that it asks for, as they go over the wire,
headers included. The time is that of the page alone, from a server as it is deployed. Noise: some milliseconds.
"""

import shutil
import time
from http.client import HTTPConnection

from playwright.sync_api import Browser, sync_playwright

from bench.bed import Bed, bed, kinds
from bench.lists import JOBS, fill
from bench.place import Place
from bench.table import SIZE, Row

ALONE = True
"""Needs no installation."""

RUNS = 15
PAGES = {
    "home": "/",
    "the pipelines of a project": "/skerry/big/-/pipelines",
    "a pipeline": "/skerry/big/-/pipelines/1",
    "a job": "/skerry/big/-/jobs/1",
}
_TRAVELLED = """() => performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource"))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""


def run(place: Place | None) -> list[Row]:
    """For each database the time of each page, and once their sizes."""
    rows: list[Row] = []
    for kind in kinds():
        with bed(kind) as made:
            fill(made, JOBS)
            rows += _times(made, kind)
            if kind == kinds()[0]:
                rows += _sizes(made)
    return rows


def _times(made: Bed, kind: str) -> list[Row]:
    connection = made.connect()
    return [
        Row(f"first page: {page}, {JOBS:,} jobs, {kind}", _seconds(connection, path, made.token), "–", (), "100 ms")
        for page, path in PAGES.items()
    ]


def _seconds(connection: HTTPConnection, path: str, token: str) -> list[float]:
    found = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        connection.request("GET", path, headers={"PRIVATE-TOKEN": token, "Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
        found.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
    return found[1:]


def _sizes(made: Bed) -> list[Row]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        sizes = {page: _kilobytes(browser, made.served.url + path) for page, path in PAGES.items()}
        browser.close()
    return [
        Row(f"first page: {page}, all that travels", [size], "–", (), "100 kB", SIZE) for page, size in sizes.items()
    ]


def _kilobytes(browser: Browser, address: str) -> float:
    """What a browser with an empty cache gets for the page."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    found = page.evaluate(_TRAVELLED) / 1000
    context.close()
    return float(found)
