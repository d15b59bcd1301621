"""The graph of a pipeline in the browser. The tests share a server; each makes its own pipeline."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.domain.plan import JobPlan, Need, Step
from app.models import CommitStatus, Job, Pipeline, Project, write
from tests.browser.windows import Place, watched_window
from tests.factories import make_commit, make_job, make_pipeline, make_project

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("place")]

EVIL = "<img src=x onerror=alert(1)>"
#: How far each line's ends are from the middles of the sides of its cards.
DISTANCES = """() => [...document.querySelectorAll(".graph-lines path")].flatMap((path) => {
  const side = (key) => document.querySelector(`[data-key="${key}"]`).getBoundingClientRect();
  const at = (length) => path.getPointAtLength(length).matrixTransform(path.getScreenCTM());
  const [from, to] = [side(path.dataset.from), side(path.dataset.to)];
  const [start, end] = [at(0), at(path.getTotalLength())];
  const middle = (card) => card.top + card.height / 2;
  return [start.x - from.right, start.y - middle(from), end.x - to.left, end.y - middle(to)].map(Math.abs);
})"""


@pytest.fixture(scope="module")
def project(place: Place) -> Project:
    return make_project(place.core, "skerry/hello", creator=place.admin, visibility="public")


class Made:
    """A pipeline with the jobs of a small product: `compile`, five instances of `test`, `lint`, and `ship` by hand."""

    def __init__(self, place: Place, project: Project, **given) -> None:
        self.place, self.core = place, place.core
        self.pipeline_id = make_pipeline(self.core, project, user=place.admin, status="running", **given).id
        self.address = f"/skerry/hello/-/pipelines/{self.pipeline_id}"
        self.add("compile", "build", status="success", ran=(0, 60))
        for number in range(1, 6):
            self.add(f"test {number}/5", "test", ("compile",), status="success", ran=(60, 60 + number))
        self.lint = self.add("lint", "test", ("compile",), status="running", ran=(60, None))
        self.ship = self.add("ship", "deploy", ("test 3/5", "lint", "compile"), status="manual", when="manual")

    @property
    def pipeline(self) -> Pipeline:
        return self.core.session.get_one(Pipeline, self.pipeline_id)

    def add(self, name: str, stage: str, needs=None, *, ran=(None, None), **given) -> int:
        begin = self.pipeline.created_at - timedelta(hours=1)
        start, end = (None if seconds is None else begin + timedelta(seconds=seconds) for seconds in ran)
        found = None if needs is None else tuple(Need(need) for need in needs)
        plan = JobPlan(name, stage, (Step("script", ("true",)),), needs=found, when=given.get("when", "on_success"))
        return make_job(self.core, self.pipeline, plan=plan, started_at=start, finished_at=end, **given).id

    def end(self, job_id: int, status: str) -> None:
        with write(self.core.session):
            job = self.core.session.get_one(Job, job_id)
            job.status, job.updated_at, job.finished_at = status, self.core.now(), self.core.now()
        self.place.tell(self.pipeline_id)


@pytest.fixture
def made(place: Place, project: Project) -> Made:
    return Made(place, project)


def card(page: Page, name: str):
    return page.locator(".job-card").filter(has=page.locator(f'.job-name:text("{name}")'))


def test_lines_meet_their_cards_and_groups_open_without_leaving_the_page(page: Page, made: Made):
    page.goto(made.address)
    page.evaluate("window.mark = 1")
    assert page.locator(".graph-lines path").count() == 4
    assert max(page.evaluate(DISTANCES)) < 1.5
    group = page.locator("a.group")
    expect(group).to_have_attribute("aria-expanded", "false")
    group.click()
    expect(page.locator(".job-card.inside")).to_have_count(5)
    expect(page).to_have_url(f"{made.place.url}{made.address}?open=test")
    assert page.locator(".graph-lines path").count() == 8
    assert max(page.evaluate(DISTANCES)) < 1.5
    card(page, "ship").hover()
    expect(page.locator(".graph-lines .lit")).to_have_count(4)
    lit = page.locator(".job-card.lit .job-name").all_inner_texts()
    assert sorted(lit) == ["compile", "lint", "ship", "test 3/5"]
    page.get_by_role("heading", name="Add a file").hover()
    expect(page.locator(".lit")).to_have_count(0)
    page.locator("a.group").click()
    expect(page.locator(".job-card.inside")).to_have_count(0)
    assert page.evaluate("window.mark") == 1, "the page was not loaded again"


def test_the_graph_follows_its_jobs_and_actions_keep_what_is_open(page: Page, made: Made):
    page.goto(f"{made.address}?open=test")
    page.evaluate("window.mark = 1")
    expect(page.locator(".critical-path")).to_contain_text("compile → lint")
    made.end(made.lint, "failed")
    expect(card(page, "lint")).to_contain_text("failed")
    expect(page.locator(".graph-bar")).to_contain_text("failed 1")
    page.get_by_role("button", name="Retry lint").click()
    expect(card(page, "lint")).to_contain_text("pending")
    expect(page.locator(".job-card.inside")).to_have_count(5)
    page.get_by_role("button", name="try 2").click()
    tries = page.get_by_role("dialog", name="Tries of lint")
    expect(tries.get_by_role("link")).to_have_count(2)
    assert page.evaluate("window.mark") == 1
    tries.get_by_role("link").first.click()
    page.wait_for_url(f"**/-/jobs/{made.lint}")


def test_a_job_starts_with_variables_in_place_and_news_leave_the_dialog_open(page: Page, made: Made):
    page.goto(made.address)
    page.get_by_role("button", name="Start ship with variables").click()
    dialog = page.get_by_role("dialog", name="Start ship")
    with page.expect_response(lambda response: response.url.endswith(made.address)):
        made.end(made.lint, "success")
    expect(page.locator(".graph-bar")).to_contain_text("passed 7")
    dialog.get_by_label("Key 1").fill("TARGET")
    dialog.get_by_label("Value 1").fill("production")
    dialog.get_by_role("button", name="Start with these").click()
    expect(card(page, "ship")).to_contain_text("pending")
    made.core.session.rollback()
    job = made.core.session.get_one(Job, made.ship)
    assert "production" in made.core.box.open(job.variables_sealed, job.seal_context)


def test_hostile_names_are_text_and_fit_a_phone(page: Page, place: Place, project: Project):
    commit = make_commit("c" * 40, place.core.now(), EVIL) | {"author_name": EVIL}
    made = Made(place, project, ref=f"{EVIL}/javascript:alert(1)", commit=commit)
    made.add(
        f"{EVIL} and a name that goes on and on, longer than any card is wide", "test", status="failed", ran=(0, 9)
    )
    now, pipeline_id = place.core.now(), made.pipeline_id
    with write(place.core.session):
        for name, link in ((EVIL, "javascript:alert(1)"), ("scan", "https://example.com")):
            place.core.session.add(
                CommitStatus(pipeline_id=pipeline_id, name=name, status="failed", target_url=link, created_at=now)
            )
    page.set_viewport_size({"width": 390, "height": 800})
    for query in ("?open=test", "?view=list"):
        page.goto(made.address + query)
        expect(page.get_by_text(EVIL).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), query
    page.goto(made.address)
    expect(page.locator(".graph-lines")).to_be_hidden()
    expect(card(page, "ship")).to_contain_text("needs test 3/5, lint, compile")


def test_the_graph_can_be_read_and_unfolded_without_scripts(chromium: Browser, made: Made):
    with watched_window(chromium, made.place.url, java_script_enabled=False) as page:
        page.goto(made.address)
        page.locator("a.group").click()
        expect(page.locator(".job-card.inside")).to_have_count(5)
        page.get_by_role("link", name="List").click()
        expect(page.locator("tr[data-key]")).to_have_count(8)
