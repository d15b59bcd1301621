"""Pictures of the main pages, light and dark, as the README and docs show them.

Every run makes them and looks for faults of the pages; `make screenshots` keeps them in docs/screenshots.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.services.projects.measure_usage import measure_usage
from tests.browser.rocket import make_rocket
from tests.browser.windows import Place, watched_window

pytestmark = pytest.mark.browser
ROCKET = "/acme/rocket/-"


@pytest.fixture(scope="module")
def pages(place: Place) -> dict[str, tuple[str, str, int]]:
    """The name of each picture, the address of its page, what is on it when all is there, and its height."""
    rocket = make_rocket(place)
    measure_usage(place.core)
    pipeline = f"{ROCKET}/pipelines/{rocket.pipeline_id}"
    return {
        "projects": ("/", "Land on three legs", 800),
        "pipelines": (f"{ROCKET}/pipelines", "Land on three legs", 800),
        "pipeline": (pipeline, "make: ***", 800),
        "job": (f"{ROCKET}/jobs/{rocket.failed}", "ERROR: Job failed: exit code 2", 1100),
        "tests": (f"{pipeline}/test_report", "sees_a_boulder", 800),
        "changes": (f"{pipeline}/changes", "expected 4 legs", 800),
        "trends": (f"{ROCKET}/pipelines/charts", "Duration of pipelines", 1100),
        "runners": ("/-/admin/runners", "raspberry", 800),
        "queue": ("/-/admin/queue", "No runner has the tag gpu.", 800),
        "storage": ("/-/admin/storage", "acme/rocket", 800),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_main_pages_have_their_picture_taken(chromium: Browser, place: Place, pages, scheme: str, tmp_path: Path):
    folder = Path(os.environ.get("SKERRY_SCREENSHOTS") or tmp_path)
    with watched_window(chromium, place.url, storage_state=place.signed_in, color_scheme=scheme) as page:
        for name, (address, shown, height) in pages.items():
            page.set_viewport_size({"width": 1280, "height": height})
            answer = page.goto(address)
            assert answer, address
            assert answer.ok, address
            expect(page.get_by_role("main").get_by_text(shown).last).to_be_visible()
            page.evaluate("document.fonts.ready")
            picture = page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled")
            assert len(picture) > 10_000, f"{name} is nearly empty"
