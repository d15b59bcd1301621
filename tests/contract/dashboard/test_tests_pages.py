"""The pages of tests: all of a pipeline, and one through its history."""

import re

from app.domain.junit import Case
from app.models import Job, JunitCase, write
from app.services.reports.read_report import ReadReport, keep_report
from tests.factories import make_job, make_pipeline

ALL = "/skerry/hello/-/pipelines/{}/test_report"
PAYLOAD = '"><script>alert(2)</script>\u202e'


def report(core, job, *cases, problem=None):
    job_id = job.id
    with write(core.session):
        keep_report(core, core.session.get_one(Job, job_id), ReadReport("junit", {}, cases, problem))


def marks(page):
    """The marks of each case by its name."""
    return {
        re.search(r'case-name">([^<]*)', item)[1]: re.findall(r'class="mark[^"]*"[^>]*>(\w+)<', item)
        for item in page.split('<li class="case-item">')[1:]
    }


def test_each_failure_is_told_as_new_known_or_flaky(site, core):
    before = make_pipeline(core, site.project, status="failed")
    report(core, make_job(core, before, name="unit"), Case(name="old", status="failed"), Case(name="fresh"))
    after = make_pipeline(core, site.project, ref="topic", status="failed")
    first = make_job(core, after, name="unit", status="failed", retried=True)
    report(core, first, Case(name="shaky", status="failed"))
    failing = [Case(name=name, status="failed", output="why") for name in ("old", "fresh")]
    report(core, make_job(core, after, name="unit", coverage=71.5), *failing, Case(name="shaky", seconds=2.5))
    page = site.visitor("guest").get(ALL.format(after.id)).text
    assert marks(page) == {"old": ["known"], "fresh": ["new"], "shaky": ["flaky"]}
    assert "71.5 %" in page
    assert marks(site.visitor("guest").get(f"/skerry/hello/-/pipelines/{after.id}").text) == marks(page)


def test_tests_are_chosen_and_ordered_by_the_address(site, core):
    job = site.job
    report(core, job, Case(name="slow", seconds=9), Case(name="quick"), Case(name="bad", status="error"))
    guest, path = site.visitor("guest"), ALL.format(site.pipeline.id)

    def names(query=""):
        return list(marks(guest.get(path + query).text))

    assert names() == ["bad", "slow", "quick"]
    assert names("?sort=slowest")[0] == "slow"
    assert names("?status=failed") == ["bad"]
    assert names("?search=QUI") == ["quick"]
    assert names("?suite=other") == []
    assert names("?after=x&status=y&sort=z") == ["bad", "slow", "quick"]
    for after in ("1-" + "9" * 22, "9999-1", "-", "1-\u0663"):
        assert guest.get(path, query_string={"after": after}).status_code == 200
    key = core.session.query(JunitCase).filter_by(name="slow").one().case_key
    history = guest.get(f"/skerry/hello/-/tests/{key}").text
    assert "Failed 0 of its last 1 run on <code>main</code>" in " ".join(history.split())
    assert "No run on <code>topic</code>" in " ".join(guest.get(f"/skerry/hello/-/tests/{key}?ref=topic").text.split())
    assert guest.get(f"/skerry/hello/-/tests/{key ^ 1}").status_code == 404
    assert site.visitor("stranger").get(f"/skerry/hello/-/tests/{key}").status_code == 404


def test_nothing_of_a_report_is_markup_on_any_page(site, core):
    report(core, site.job, Case(PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD, 0.0, "failed", PAYLOAD, PAYLOAD), problem=PAYLOAD)
    key = core.session.query(JunitCase).one().case_key
    admin = site.visitor("admin")
    paths = (
        ALL.format(1),
        f"{ALL.format(1)}?search={PAYLOAD}&suite={PAYLOAD}",
        f"/skerry/hello/-/tests/{key}?ref={PAYLOAD}",
    )
    for path in (*paths, "/skerry/hello/-/jobs/1", "/skerry/hello/-/pipelines/1"):
        page = admin.get(path).text
        assert "<script>alert(2)" not in page, path
        assert "\u202e" not in re.sub(r'value="[^"]*"', "", page), path


def test_without_reports_the_page_says_how_to_get_them(site):
    page = site.visitor("guest").get(ALL.format(1)).text
    assert "No tests yet" in page
    assert "junit: report.xml" in page
