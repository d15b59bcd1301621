"""What the pages of a job and of a pipeline show of tests."""

import pytest

from app.domain.junit import Case
from app.models import Job, write
from app.services.reports import show_tests
from app.services.reports.read_report import ReadReport, keep_report

PAYLOAD = '"><script>alert(2)</script>'
PAGES = ("/skerry/hello/-/jobs/1", "/skerry/hello/-/pipelines/1")


@pytest.fixture
def keep(core):
    def keep(*cases, problem=None):
        with write(core.session):
            keep_report(core, core.session.get_one(Job, 1), ReadReport("junit", {}, cases, problem))

    return keep


def _section(page: str) -> str:
    return page.split('id="tests"', 1)[1].split('<div class="job-page">')[0]


@pytest.mark.parametrize("path", PAGES)
def test_failures_come_first_and_the_section_is_open(site, keep, path):
    keep(Case(name="good"), Case(classname="shop", name="bad", status="failed", output="line one\nline two"))
    section = _section(site.visitor("guest").get(path).text)
    assert section.index("shop \u203a bad") < section.index("good")
    assert "1 failed, 1 passed" in section
    assert "line one\nline two" in section
    assert section.startswith(' class="panel tests" open>')


@pytest.mark.parametrize("path", PAGES)
def test_when_all_passed_it_is_closed(site, keep, path):
    keep(Case(name="good"), Case(name="late", status="skipped"))
    section = _section(site.visitor("guest").get(path).text)
    assert "1 passed, 1 skipped" in section
    assert section.startswith(' class="panel tests">')


@pytest.mark.parametrize("path", PAGES)
def test_what_could_not_be_read_is_said(site, keep, path):
    keep(problem="JUnit XML parsing failed: syntax error: line 1")
    assert "unit: JUnit XML parsing failed: syntax error: line 1" in _section(site.visitor("guest").get(path).text)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_a_report_is_markup(site, keep, path):
    keep(Case(PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD, 0.0, "failed", PAYLOAD, PAYLOAD), problem=PAYLOAD)
    assert "<script>alert(2)" not in site.visitor("admin").get(path).text


@pytest.mark.parametrize("path", PAGES)
def test_many_are_cut_off_and_counted(site, keep, monkeypatch, path):
    monkeypatch.setattr(show_tests, "SHOWN", 2)
    keep(*(Case(name=f"case {number}") for number in range(5)))
    section = _section(site.visitor("guest").get(path).text)
    assert "The first 2 of 5 tests" in section
    assert "case 4" not in section


@pytest.mark.parametrize("path", PAGES)
def test_without_a_report_there_is_no_section(site, path):
    assert 'id="tests"' not in site.visitor("guest").get(path).text
