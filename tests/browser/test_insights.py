"""Tests, artifacts, changes and trends in the browser, with everything that a job can name or write being an attack."""

import io
import zipfile
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app.domain.junit import Case
from app.git.build import Person, Placed, write_blob, write_commit, write_tree
from app.models import Artifact, Job, write
from app.services.reports.read_report import ReadReport, keep_report
from tests.factories import make_job, make_pipeline, print_trace

pytestmark = pytest.mark.browser
PROJECT = "/skerry/hello/-"
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
REPORT = f"""<!doctype html><title>Report</title><link rel="stylesheet" href="css/style.css">
<script>parent.document.title = "taken"; document.title = "ran"</script>
<body onload="alert(3)"><h1 onclick="alert(4)">Coverage</h1>{EVIL}
<a id="next" href="pages/two.html">two</a>
<form action="/-/sign_out" method="post"><button>Send</button></form><img id="shot" src="shot.png"></body>"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645"
    "400000000049454e44ae426082"
)
FILES = {
    "report/index.html": REPORT.encode(),
    "report/pages/two.html": b"<h1>Second page</h1>",
    "report/css/style.css": b"h1 { color: rgb(1, 2, 3) }",
    "report/shot.png": PNG,
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(6)" width="90" height="40">'
    b'<script>alert(7)</script><rect width="90" height="40" fill="teal"/></svg>',
    "logs/build.log": f"first line\n{EVIL}\nlast line\n".encode(),
    f"logs/{EVIL.replace('/', '')}.txt": b"odd",
    "model.bin": bytes(range(256)),
}


def _archive(site, job):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    core, job_id, project_id = site.core, job.id, site.project.id
    with core.artifacts.receive(10**7) as incoming:
        incoming.write(buffer.getvalue())
        stored = incoming.keep()
    values = {"size": stored.size, "sha256": stored.sha256, "storage_key": stored.key, "created_at": core.now()}
    kind = {"file_type": "archive", "file_format": "zip", "filename": "artifacts.zip"}
    with write(core.session):
        expire_at = core.now() + timedelta(days=6)
        core.session.add(Artifact(job_id=job_id, project_id=project_id, expire_at=expire_at, **kind, **values))


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
    _archive(site, failed)
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


def test_nothing_in_an_archive_runs_and_a_report_looks_as_it_should(page, site, sign_in):
    """The project is private: a report's pictures and styles come with the visitor's session, and it gets no more."""
    _, failed = populate(site)
    with write(site.core.session):
        site.core.session.get_one(type(site.project), site.project.id).visibility = "private"
    base = f"{PROJECT}/jobs/{failed.id}/artifacts"
    sign_in(f"{base}/browse")
    expect(page.get_by_text("They expire")).to_be_visible()
    page.get_by_role("link", name="logs/").click()
    page.get_by_role("link", name=EVIL.replace("/", "") + ".txt", exact=True).click()
    expect(page.locator(".source")).to_contain_text("odd")
    page.goto(f"{base}/file/logs/build.log")
    expect(page.locator(".source-line").nth(1)).to_have_text(EVIL, use_inner_text=True)
    page.goto(f"{base}/file/drawing.svg")
    assert page.locator(".picture img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 90
    page.goto(f"{base}/view/drawing.svg")
    page.goto(f"{base}/view/report/index.html")
    page.wait_for_url(f"**{base}/file/report/index.html")
    frame = page.frame_locator("iframe.report")
    expect(frame.get_by_role("heading", name="Coverage")).to_have_css("color", "rgb(1, 2, 3)")
    frame.locator("h1").click()
    frame.get_by_role("button", name="Send").click()
    expect(page).to_have_title(f"index.html · artifacts of unit (#{failed.id}) · skerry/hello · Skerry")
    frame.locator("#next").click()
    expect(frame.get_by_role("heading", name="Second page")).to_be_visible()
    page.goto(f"{base}/browse")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#messages")).to_contain_text("The artifacts are kept")
    expect(page.locator("#expiry")).to_contain_text("They are kept until")
    expect(page).to_have_url(f"{site.url}{base}/browse")


def test_no_page_of_these_is_wider_than_a_phone(page, site, sign_in):
    history(site)
    red, failed = populate(site)
    sign_in("/")
    page.set_viewport_size({"width": 390, "height": 800})
    for path in (
        "pipelines/charts",
        f"pipelines/{red.id}/test_report",
        f"pipelines/{red.id}/changes",
        f"jobs/{failed.id}/artifacts/browse",
        f"jobs/{failed.id}/artifacts/browse/logs",
        f"jobs/{failed.id}/artifacts/file/logs/build.log",
        f"jobs/{failed.id}/artifacts/file/report/index.html",
        f"jobs/{failed.id}",
    ):
        page.goto(f"{PROJECT}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
