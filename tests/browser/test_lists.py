"""Lists and their search boxes in the browser; with hostile rows: tests/integration/end_to_end/test_dashboard.py."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.models import Project
from tests.browser.windows import Place, shared_place
from tests.factories import make_pipeline, make_project

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("place")]


@pytest.fixture(scope="module")
def place(chromium: Browser, tmp_path_factory, sqlite_template) -> Iterator[Place]:
    """Two projects with 25 runs, one of which has failed."""
    with shared_place(chromium, tmp_path_factory.mktemp("lists"), sqlite_template) as place:
        core = place.core
        projects = [make_project(core, f"skerry/{name}", creator=place.admin) for name in ("hello", "docs")]
        for number in range(24):
            make_pipeline(core, projects[number % 2], status="success", calculated_status="succeeded")
        make_pipeline(core, projects[0], status="failed", calculated_status="failure")
        yield place


def test_a_search_is_offered_and_stands_in_the_address(page: Page, place: Place):
    page.goto("/")
    page.get_by_role("link", name="All pipelines").click()
    box = page.get_by_role("combobox", name="Search")
    box.fill("repo:do")
    offered = page.locator("#search-ways option")
    expect(offered).to_have_count(1)
    assert offered.get_attribute("value") == "repo:docs"
    box.fill("repo:docs ")
    expect(offered).to_have_count(7)
    box.press("Enter")
    page.wait_for_url("**/-/pipelines?search=repo%3Adocs+")
    expect(page.locator("tbody tr")).to_have_count(12)
    expect(box).to_have_value("repo:docs ")
    page.get_by_role("link", name="failed", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="all", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(20)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(20)


def test_a_list_looks_again_and_leaves_the_focus_on_its_row(page: Page, place: Place):
    """And so does whoever comes back to the window; what was typed in the search box stays."""
    page.goto("/skerry/docs/-/pipelines")
    page.evaluate("window.mark = 1")
    box = page.get_by_role("combobox", name="Search")
    box.fill("not sent yet")
    box.blur()
    for _ in range(3):
        page.keyboard.press("j")
    stands_on = page.evaluate("document.activeElement.id")
    project = place.core.session.query(Project).filter_by(path="docs").one()
    fresh = make_pipeline(place.core, project, status="success", calculated_status="succeeded")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("tbody tr").first).to_contain_text(f"#{fresh.id} ")
    expect(page.locator(f"#{stands_on}")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("tbody tr").nth(2).get_by_role("link")).to_be_focused()
    expect(box).to_have_value("not sent yet")
    assert page.evaluate("window.mark") == 1, "the page was not loaded again"
    stored = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "<" not in stored, "no page is kept in the browser's storage"
