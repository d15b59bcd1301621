"""The pages in Debian's Chromium, over pipelines that the real runner ran: one window, flow after flow.

All that people and jobs can name or print is an attack (`hostile_sample`). A dialog, an error of a script or a breach
of the content policy in any of the flows fails the last of them.
"""

import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.browser.accessibility import everybody_can_use
from tests.browser.windows import watched_window
from tests.integration.end_to_end.dashboard_story import PASSWORD, USER, Story, told_story
from tests.integration.end_to_end.hostile_sample import BRANCH, EVIL, JOB, SCRIPT
from tests.integration.stack import Server

pytestmark = [pytest.mark.podman, pytest.mark.browser]
#: How many of `others` have something that the rest has not.
LOOKED_INTO = 6


@pytest.fixture(scope="module")
def story(server: Server, runner: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with told_story(server, tmp_path_factory.mktemp("dashboard") / "work") as story:
        yield story


@pytest.fixture(scope="module")
def page(story: Story) -> Iterator[Page]:
    """The window, in which Grace is signed in."""
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        with watched_window(chromium, story.server.url) as window:
            window.set_default_timeout(30_000)
            window.goto("/-/sign_in")
            window.get_by_label("User name").fill(USER)
            window.get_by_label("Password").fill(PASSWORD)
            window.get_by_role("main").get_by_role("button", name="Sign in").click()
            window.wait_for_url(f"{story.server.url}/")
            yield window
        chromium.close()


def card(page: Page, name: str) -> Locator:
    return page.locator(".job-card").filter(has=page.locator(".job-name").get_by_text(name, exact=True))


def line(page: Page, text: str) -> Locator:
    return page.locator(".line .t").filter(has_text=text)


def others(story: Story) -> Iterator[str]:
    """The pages that no flow leads through."""
    base, settings = story.path, f"{story.path}/settings"
    yield from (f"{settings}{rest}" for rest in ("", "/ci_cd", "/protected_refs", "/badges"))
    yield from (f"{base}/{rest}" for rest in ("pipelines/new", "project_members"))
    yield f"{base}/pipeline_schedules/{story.schedule}/edit"
    yield from ("/-/admin/storage", "/-/admin/users", "/-/profile/sessions", "/-/profile/tokens", "/-/projects/new")
    for rest in ("pipeline_schedules", "environments", "releases", "runners", "audit", "settings/triggers"):
        yield f"{base}/{rest}"
    group = story.repository.path.partition("/")[0]
    yield from (f"/-/groups/{group}/-/{rest}" for rest in ("settings", "members", "settings/ci_cd", "runners"))
    yield from (f"/{group}", f"/{story.repository.path}", "/", "/-/jobs", "/-/groups/new", "/-/admin/variables")


def test_what_waits_says_for_what(page: Page, story: Story) -> None:
    page.goto(story.pipeline)
    expect(page.locator("#pipeline-head .sentence")).to_contain_text("watch at work")
    page.goto(story.address("waits"))
    holder = f"Waits for the resource group harbour, which is held by #{story.job('watch')}."
    expect(page.locator("#job-head .sentence")).to_have_text(holder)
    page.goto(story.address("tagged"))
    expect(page.locator("#job-head .sentence")).to_have_text("No runner has the tag gpu.")
    everybody_can_use(page)
    page.goto("/-/admin/queue")
    expect(page.get_by_role("main")).to_contain_text("No runner has the tag gpu.")
    everybody_can_use(page)


def test_a_log_grows_while_its_job_runs_until_somebody_cancels_it(page: Page, story: Story) -> None:
    page.goto(story.address("watch"))
    page.evaluate("window.mark = 1")
    ticks = line(page, f" {EVIL}").filter(has_text="tick")
    expect(ticks.last).to_be_visible()
    seen = int(re.findall(r"tick (\d+)", ticks.last.inner_text())[0])
    expect(line(page, f"tick {seen + 5} {EVIL}")).to_be_visible()
    expect(page.locator("#job-head .status")).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#job-head .status")).to_have_text("canceled")
    expect(page).to_have_title(re.compile("^canceled: watch"))
    assert "favicon-canceled" in (page.locator("#favicon").get_attribute("href") or "")
    assert page.evaluate("window.mark") == 1, "the page was not loaded again"
    story.wait_for("waits", "success")


def test_a_failed_job_says_where_and_opens_there(page: Page, story: Story) -> None:
    page.goto(story.failed)
    said = "Step script failed with exit code 3 in section units at “sh report.sh red”."
    expect(page.locator("#job-head .sentence")).to_have_text(said)
    expect(page.locator("#failure pre")).to_contain_text(f"AssertionError: four legs, not three\n{EVIL}{SCRIPT}")
    expect(line(page, f"{EVIL}{SCRIPT}")).to_be_visible()
    expect(line(page, "inside the set-up")).to_be_hidden()
    page.get_by_role("button", name="Top").click()
    page.get_by_role("link", name="In the log").click()
    expect(line(page, f"error: {EVIL}").last).to_be_in_viewport()
    page.keyboard.press("/")
    page.keyboard.type("SET-UP")
    page.keyboard.press("Enter")
    expect(line(page, "inside the set-up")).to_be_visible()
    page.keyboard.press("Tab")
    for key, name in (("?", "dialog"), ("Escape", ""), ("t", "times"), ("F", "full-screen"), ("F", "")):
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_have_count(int(name == "dialog"))
        expect(page.locator(".log.full-screen")).to_have_count(int(name == "full-screen"))
    expect(page.get_by_role("button", name="Times")).to_have_text("Times: relative")
    everybody_can_use(page, tones=True)
    page.keyboard.press("Escape")


def test_the_lines_of_a_log_can_be_chosen_and_only_web_addresses_are_links(page: Page, story: Story) -> None:
    story.wait_for("compile")
    page.goto(story.address("compile"))
    page.locator("[data-log-top]").click()
    page.get_by_role("button", name="Section fetch").click()
    expect(line(page, "a seal in a folded part")).to_be_visible()
    expect(page.locator(".line .t").filter(has_text=re.compile("^100%$"))).to_have_count(1)
    assert page.get_by_text("orange", exact=True).evaluate("e => getComputedStyle(e).color") == "rgb(255, 135, 0)"
    assert page.get_by_text("deep", exact=True).evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(1, 2, 3)"
    expect(page.locator(".line .t a")).to_have_attribute("href", "https://example.com/a?b=c")
    expect(page.locator(".line .t a")).to_have_attribute("rel", re.compile("noopener"))
    first, second = (page.locator(".line").filter(has_text=re.compile(rf"line {number}$")) for number in (7, 9))
    numbers = [row.get_attribute("data-line") for row in (first, second)]
    first.locator(".n").click()
    second.locator(".n").click(modifiers=["Shift"])
    assert page.evaluate("location.hash") == f"#L{numbers[0]}-L{numbers[1]}"
    page.reload()
    expect(page.locator(".line.marked .t")).to_have_text(["line 7", "line 8", "line 9"])
    everybody_can_use(page)


def test_the_graph_shows_the_pipeline_and_acts_on_it_in_place(page: Page, story: Story) -> None:
    story.wait_for("variant: [mac]")
    page.goto(story.pipeline)
    page.evaluate("window.mark = 1")
    expect(page.locator(".graph-stage > h2 .one-line")).to_have_text(["build", "test", "deploy", "Downstream"])
    expect(page.locator(".graph-lines path")).to_have_count(5)
    page.locator("a.group").click()
    expect(page.locator(".job-card.inside")).to_have_count(2)
    expect(page.locator(".graph-lines path")).to_have_count(6)
    everybody_can_use(page, tones=True)
    page.get_by_role("button", name="Cancel tagged").click()
    expect(card(page, "tagged")).to_contain_text("canceled")
    page.get_by_role("button", name="Start ship with variables").click()
    dialog = page.get_by_role("dialog", name="Start ship")
    dialog.get_by_label("Key 1").fill("TARGET")
    dialog.get_by_label("Value 1").fill(f"the moon {EVIL}")
    dialog.get_by_role("button", name="Start with these").click()
    expect(card(page, "ship")).to_contain_text("passed")
    expect(page.locator("#pipeline-head .sentence")).to_contain_text(
        f"{JOB} failed. Step script failed with exit code 3"
    )
    page.get_by_role("button", name="Retry failed jobs").click()
    expect(card(page, JOB)).to_contain_text("try 2")
    expect(card(page, JOB).locator(".job-note")).to_contain_text("failed")
    page.get_by_role("button", name="Cancel pipeline").click()
    for name in ("tagged", "watch"):
        expect(card(page, name).locator(".job-note")).to_contain_text("canceled")
    card(page, JOB).get_by_role("button", name="try 2").click()
    tries = page.get_by_role("dialog", name=f"Tries of {JOB}")
    expect(tries.get_by_role("link")).to_have_count(2)
    assert page.evaluate("window.mark") == 1, "the page was not loaded again"
    tries.get_by_role("link").first.click()
    page.wait_for_url(f"**{story.failed}")
    page.goto(story.address("ship"))
    expect(line(page, f"to the moon {EVIL}").last).to_be_visible()


def test_a_child_pipeline_is_one_step_away(page: Page, story: Story) -> None:
    page.goto(story.pipeline)
    page.locator(".graph-stage").last.get_by_role("link").click()
    expect(card(page, "below")).to_contain_text("passed")
    page.get_by_role("link", name=f"#{story.red['id']}", exact=True).click()
    page.wait_for_url(f"**{story.pipeline}")
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.locator("tr").filter(has_text=JOB)).to_contain_text("failed")
    everybody_can_use(page, tones=True)
    page.get_by_role("link", name="child", exact=True).click()
    expect(page.locator("#job-side")).to_contain_text("Starts")


def test_lists_are_searched_and_their_search_is_an_address(page: Page, story: Story) -> None:
    page.goto("/-/pipelines")
    box = page.get_by_role("combobox", name="Search")
    box.fill("repo:roc")
    expect(page.locator("#search-ways option").first).to_have_attribute("value", re.compile("rocket"))
    box.fill(f"repo:{story.repository.path} four legs")
    box.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text(BRANCH)
    everybody_can_use(page, tones=True)
    assert f"search={quote(f'repo:{story.repository.path}', safe='')}" in page.url
    page.get_by_role("link", name="Land on four legs").click()
    page.wait_for_url(f"**{story.path}/pipelines/{story.green['id']}")
    page.get_by_role("navigation", name="Project").get_by_role("link", name="Jobs").click()
    page.get_by_role("combobox", name="Search").fill("unit status:failed")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr").first).to_contain_text(JOB)
    expect(page.get_by_role("link", name="compile")).to_have_count(0)
    everybody_can_use(page)


def test_tests_tell_what_is_new_and_coverage_what_it_was(page: Page, story: Story) -> None:
    page.goto(story.failed)
    for name, mark in (("counts", "new"), ("old", "known")):
        case = page.locator("#tests .case-item").filter(has_text=f"seals \u203a {name}")
        expect(case.locator(".mark")).to_have_text(mark)
    counts = page.locator("#tests .case-item").filter(has_text="seals \u203a counts")
    counts.locator("summary").click()
    expect(counts.locator("pre")).to_contain_text(f"four legs, not three {EVIL}")
    expect(page.locator("#job-side")).to_contain_text("72.0 %")
    page.get_by_role("link", name="All tests of the pipeline").click()
    expect(page.locator(".case-item").filter(has_text=EVIL).first).to_be_visible()
    expect(page.get_by_text("against")).to_contain_text(BRANCH)
    everybody_can_use(page, tones=True)
    page.get_by_label("Order").select_option("the slowest")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".case-item").first).to_contain_text("seals \u203a swims")
    page.locator(".case-item summary").first.click()
    page.get_by_role("link", name="History of this test").first.click()
    expect(page.get_by_role("heading", name="seals \u203a swims")).to_be_visible()
    everybody_can_use(page)


def test_artifacts_are_looked_at_and_nothing_in_them_runs(page: Page, story: Story) -> None:
    page.goto(story.failed)
    page.get_by_role("link", name="Browse files").click()
    page.get_by_role("link", name="site/").click()
    folder = page.url
    everybody_can_use(page)
    page.get_by_role("link", name=f"{EVIL}.txt", exact=True).click()
    expect(page.locator(".source-line").nth(1)).to_have_text(f"{EVIL}{SCRIPT}", use_inner_text=True)
    everybody_can_use(page)
    for name, width in (("shot.png", 1), ("drawing.svg", 90)):
        page.goto(folder)
        page.get_by_role("link", name=name, exact=True).click()
        assert page.locator(".picture img").evaluate("i => i.decode().then(() => i.naturalWidth)") == width
    page.goto(f"{story.failed}/artifacts/view/site/drawing.svg")
    page.goto(f"{story.failed}/artifacts/view/site/index.html")
    page.wait_for_url(f"**{story.failed}/artifacts/file/site/index.html")
    frame = page.frame_locator("iframe.report")
    expect(frame.get_by_role("heading", name="Coverage")).to_have_css("color", "rgb(1, 2, 3)")
    frame.locator("h1").click()
    frame.get_by_role("button", name="Send").click()
    expect(page).to_have_title(re.compile(r"^index\.html"))
    frame.locator("#next").click()
    expect(frame.get_by_role("heading", name="Second page")).to_be_visible()
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#expiry")).to_contain_text("They are kept until")


def test_a_red_pipeline_shows_what_changed_since_it_was_green(page: Page, story: Story) -> None:
    page.goto(story.failed)
    page.get_by_role("link", name="What changed since it was green").click()
    expect(page.locator(".sentence")).to_contain_text(f"{BRANCH} was last green with pipeline #{story.green['id']}")
    expect(page.locator(".error-lines").first).to_contain_text("AssertionError: four legs, not three")
    expect(page.locator(".error-lines").first).not_to_contain_text("retrying")
    expect(page.locator(".commits")).to_contain_text(f"Save a leg {EVIL}")
    expect(page.locator(".commits")).not_to_contain_text("Land on four legs")
    everybody_can_use(page, tones=True)
    page.get_by_role("navigation", name="Project").get_by_role("link", name="Trends").click()
    expect(page.get_by_role("img", name="Duration of pipelines")).to_be_visible()
    expect(page.get_by_role("region", name="Slowest jobs")).to_contain_text(JOB)
    everybody_can_use(page, tones=True)


def test_a_runner_is_online_and_is_paused_for_a_while(page: Page, story: Story) -> None:
    number = story.repository.jobs(story.green["id"])[JOB]["runner"]["id"]
    page.goto("/-/admin/runners")
    row = page.locator("#runners tr").filter(has=page.get_by_text(f"#{number}", exact=True))
    expect(row).to_contain_text("online")
    expect(row).to_contain_text("podman")
    everybody_can_use(page, tones=True)
    page.get_by_role("button", name=re.compile(f"(Pause|Drain) runner #{number}$")).click()
    expect(row.get_by_role("button", name=f"Resume runner #{number}")).to_be_visible()
    row.get_by_role("button", name=f"Resume runner #{number}").click()
    expect(row).to_contain_text("online")
    page.goto("/-/admin/audit")
    expect(page.locator("tbody tr").filter(has_text=f"#{number}").filter(has_text="grace").nth(1)).to_contain_text(
        "paused"
    )
    everybody_can_use(page)


def test_a_configuration_is_checked_before_it_is_pushed(page: Page, story: Story) -> None:
    page.goto(f"{story.path}/ci/lint")
    page.get_by_label("Branch or tag").fill(BRANCH)
    page.get_by_role("button", name="Load what is committed there").click()
    expect(page.get_by_label("Configuration")).to_have_value(re.compile("harbour"))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("main").get_by_role("status").last).to_contain_text("would make 9 jobs")
    page.get_by_text("The merged configuration").click()
    expect(page.locator(".command").last).to_contain_text(JOB)
    everybody_can_use(page)
    page.get_by_label("Configuration").fill(f"'{EVIL}':\n  script: true\n  nosuch: {EVIL}\n")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not valid")
    expect(page.locator(".diagnostics")).to_contain_text(".gitlab-ci.yml:2:")


def test_the_keyboard_leads_from_the_palette_to_a_job(page: Page, story: Story) -> None:
    page.goto("/-/board")
    expect(page.locator(".tile").filter(has_text="rocket")).to_be_visible()
    everybody_can_use(page, tones=True)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type("rocket")
    expect(page.get_by_role("option").first).to_contain_text(story.repository.path)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{story.repository.path}")
    for key in ("g", "p"):
        page.keyboard.press(key)
    page.wait_for_url("**/-/pipelines")
    everybody_can_use(page)
    page.keyboard.press("j")
    expect(page.locator("tr:focus-within")).to_contain_text(EVIL)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{story.pipeline}")


def test_everybody_can_use_the_pages_of_settings_and_administration(page: Page, story: Story) -> None:
    for number, path in enumerate(others(story)):
        page.emulate_media(color_scheme=("light", "dark")[number % 2])
        answer = page.goto(path)
        assert answer, path
        assert answer.ok, path
        everybody_can_use(page, looked_into=number < LOOKED_INTO)
    page.emulate_media(color_scheme="light")
    page.goto(f"{story.path}/settings/ci_cd")
    page.get_by_role("link", name="PAYLOAD").click()
    expect(page.get_by_label("Description")).to_have_value(EVIL)
    everybody_can_use(page)
