"""Trends as a page: charts that the server draws, and the same as a table."""

import re
from datetime import timedelta
from xml.etree import ElementTree

from app.models import FlakyTest, write
from tests.factories import make_job, make_pipeline

PAGE = "/skerry/hello/-/pipelines/charts"
PAYLOAD = "<script>alert(4)</script>"


def history(core, project):
    """Three days of pipelines, each with a job that is tried twice."""
    for days in range(3):
        end = core.now() - timedelta(days=days)
        times = {"started_at": end - timedelta(seconds=90 * (days + 1)), "finished_at": end}
        pipeline = make_pipeline(core, project, status="failed" if days == 1 else "success", **times)
        times["queued_at"] = times["started_at"] - timedelta(seconds=5)
        make_job(core, pipeline, name=PAYLOAD, status="failed", retried=True, **times)
        make_job(core, pipeline, name=PAYLOAD, status="success", attempt=2, coverage=81.5, **times)


def test_charts_are_drawn_on_the_server_and_said_as_a_table(site, core):
    history(core, site.project)
    with write(core.session):
        core.session.add(
            FlakyTest(
                project_id=site.project.id, case_key=5, sha="a" * 40, suite=PAYLOAD, title=PAYLOAD, seen_at=core.now()
            )
        )
    page = site.visitor("guest").get(PAGE).text
    assert "2 of 3 pipelines passed (67 %)" in page
    assert '<td class="number">1 min 30 s</td>' in page
    assert "3 ×" in page
    assert 'href="/skerry/hello/-/tests/5"' in page
    assert PAYLOAD not in page
    charts = [ElementTree.fromstring(chart) for chart in re.findall(r"<svg viewBox=.*?</svg>", page, re.DOTALL)]
    charts = [chart for chart in charts if chart.get("role") == "img"]
    assert len(charts) == 4
    assert [len(chart.findall("rect[@class='day']")) for chart in charts] == [30] * 4
    assert [len(chart.findall("polyline")) for chart in charts] == [0, 2, 2, 1]
    assert len(charts[0].findall("rect[@class='bar success']")) == 2


def test_the_window_and_the_branch_are_chosen_by_the_address(site, core):
    history(core, site.project)
    guest = site.visitor("guest")
    assert "2 of 3 pipelines" in guest.get(PAGE + "?days=7").text
    assert "No pipeline ended on <code>topic</code>" in guest.get(PAGE + "?ref=topic").text
    for odd in ("?days=1000000", "?days=-1", "?days=x", "?ref=" + PAYLOAD):
        page = guest.get(PAGE + odd)
        assert page.status_code == 200
        assert PAYLOAD not in page.text
    for name, status in (("stranger", 404), (None, 302)):
        assert site.visitor(name).get(PAGE).status_code == status


def test_a_project_where_nothing_ended_has_no_empty_charts(site):
    page = site.visitor("guest").get(PAGE).text
    assert "Nothing ended in the last 30 days" in page
    assert 'role="img"' not in page
