"""From a failed job to its cause in the browser: tests with a history of some weeks, changes, trends."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app.domain.junit import Case
from app.git.build import Person, Placed, write_blob, write_commit, write_tree
from app.models import Job, write
from app.services.reports.read_report import ReadReport, keep_report
from tests.factories import make_job, make_pipeline, print_trace

pytestmark = pytest.mark.browser
PROJECT = "/skerry/hello/-"
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def _commits(site):
    """Two commits, the second on top of the first."""
    repository = site.core.repositories.open(site.project.id)
    ada = Person("Ada Lovelace", "ada@example.com")
    shas = [None]
    for message, lines in (("Count the seals", 3), (f"Count them twice {EVIL}", 8)):
        blob = write_blob(repository, b"line\n" * lines)
        tree = write_tree(repository, None, [Placed("seals.py", "100644", blob)])
        shas.append(write_commit(repository, tree, shas[-1], message, ada, ada, site.core.now()))
    return shas[1:]


def _report(site, job, *cases):
    job_id = job.id
    with write(site.core.session):
        keep_report(site.core, site.core.session.get_one(Job, job_id), ReadReport("junit", {}, cases))


def _ended(site, pipeline, name, seconds, days=0, **given):
    """A job that ended so many days ago."""
    end = site.core.now() - timedelta(days=days)
    started = end - timedelta(seconds=seconds)
    times = {"queued_at": started - timedelta(seconds=3 + days), "started_at": started, "finished_at": end}
    return make_job(site.core, pipeline, name=name, **times, **given)


def history(site):
    """Some weeks of pipelines."""
    core, project = site.core, site.project
    for days in range(24, 0, -2):
        end = core.now() - timedelta(days=days)
        times = {"started_at": end - timedelta(seconds=120 + 9 * days % 70), "finished_at": end}
        state = "failed" if days % 5 == 0 else "success"
        old = make_pipeline(core, project, status=state, sha=f"{days:040x}", **times)
        _ended(site, old, "unit", 100 + 7 * days % 60, days, status=state, coverage=80 + days % 4)
        if days % 6 == 0:
            _ended(site, old, "end to end", 240, days, status="failed", retried=True)
            _ended(site, old, "end to end", 200, days, status="success", attempt=2)


def populate(site):
    """A green pipeline and a red one after it. Returns the red one and its failed job."""
    core, project = site.core, site.project
    first, second = _commits(site)
    green = make_pipeline(core, project, sha=first, status="success", finished_at=core.now(), started_at=core.now())
    passed = _ended(site, green, "unit", 61, status="success", coverage=82.5)
    _report(site, passed, Case(classname="seals", name="counts", seconds=0.2), Case(name="old", status="failed"))
    print_trace(core, passed.id, b"$ pytest\nERROR: retrying after 3 s\n2 passed\n")
    red = make_pipeline(core, project, sha=second, status="failed", finished_at=core.now(), started_at=core.now())
    before = _ended(site, red, "unit", 60, status="failed", retried=True)
    _report(site, before, Case(classname="seals", name="swims", status="failed", output="timeout"))
    failed = _ended(site, red, "unit", 63, status="failed", attempt=2, coverage=81.0, exit_code=1)
    wrong = {"status": "failed", "output": f"AssertionError: 4 == 5\n{EVIL}", "system_output": EVIL}
    _report(
        site,
        failed,
        Case(classname="seals", name="counts", seconds=0.3, file="tests/test_seals.py", **wrong),
        Case(name="old", status="failed", output="has failed for weeks"),
        Case(EVIL, EVIL, EVIL, EVIL, 0.1, "error", EVIL, EVIL),
        Case(classname="seals", name="swims", seconds=3.4),
        *(Case(classname="seals", name=f"dives to {depth} m", seconds=depth / 100) for depth in range(10, 60, 10)),
        Case(classname="seals", name="flies", status="skipped"),
    )
    log = f"$ pytest\nERROR: retrying after 4 s\nE   AssertionError: 4 == 5\nerror: {EVIL}\n1 failed, 7 passed\n"
    print_trace(core, failed.id, log.encode())
    return red, failed


def test_from_a_failed_job_to_its_cause(page, site, sign_in):
    history(site)
    red, failed = populate(site)
    sign_in(f"{PROJECT}/jobs/{failed.id}")
    expect(page.locator("#tests .case-item").filter(has_text="seals \u203a counts").locator(".mark")).to_have_text(
        "new"
    )
    expect(page.locator("#tests .case-item").filter(has_text="seals \u203a swims").locator(".mark")).to_have_text(
        "flaky"
    )
    expect(page.locator("#tests .case-item").filter(has=page.get_by_text("old", exact=True))).to_contain_text("known")
    page.locator("#tests summary").get_by_text("seals \u203a counts").click()
    expect(page.locator("#tests pre").filter(has_text="AssertionError: 4 == 5")).to_contain_text(EVIL)
    page.evaluate("document.getElementById('tests-part').append('from before')")
    page.evaluate("document.body.dispatchEvent(new Event('skerry:changed'))")
    expect(page.get_by_text("from before")).to_have_count(0)
    expect(page.locator("#tests pre").filter(has_text="AssertionError: 4 == 5")).to_be_visible()  # unfolded as it was
    page.get_by_role("link", name="What changed since it was green").click()
    expect(page.locator(".error-lines")).to_have_text(
        f"E   AssertionError: 4 == 5\nerror: {EVIL}\n1 failed, 7 passed\n", use_inner_text=True
    )
    expect(page.locator(".commits")).to_contain_text(f"Count them twice {EVIL}")
    expect(page.locator(".commits")).not_to_contain_text("Count the seals")
    page.goto(f"{PROJECT}/pipelines/{red.id}/test_report")
    page.get_by_label("Order").select_option("the slowest")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".case-item").first).to_contain_text("seals \u203a swims")
    page.locator(".case-item summary").first.click()
    page.get_by_role("link", name="History of this test").first.click()
    expect(page.get_by_role("heading", name="seals \u203a swims")).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("flaky")
    page.get_by_role("navigation", name="Project").get_by_role("link", name="Trends").click()
    expect(page.get_by_role("img", name="Duration of pipelines")).to_be_visible()
    expect(page.get_by_role("region", name="Flakiest jobs")).to_contain_text("end to end")
    expect(page.get_by_role("region", name="Flakiest tests")).to_contain_text("seals \u203a swims")
    page.wait_for_load_state()  # the server does not stop in the middle of an answer
