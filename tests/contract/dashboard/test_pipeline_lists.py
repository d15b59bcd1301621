"""The lists of pipelines and jobs, and what their search boxes offer."""

import re

from app.models import write
from tests.factories import make_job, make_pipeline, make_project


def _titles(page: str) -> list[str]:
    return re.findall(r'class="row-title" href="([^"]+)"', page)


def test_the_pipelines_of_all_projects_are_those_that_the_visitor_may_see(site, core, user_of):
    other = make_project(core, "rocks/big", creator=user_of("owner"))
    make_pipeline(core, other, status="failed", calculated_status="failure", ref="<b>other</b>")
    both = ["/rocks/big/-/pipelines/2", "/skerry/hello/-/pipelines/1"]
    assert _titles(site.visitor("admin").get("/-/pipelines").text) == both
    page = site.visitor("owner").get("/-/pipelines?search=failed").text
    assert _titles(page) == both[:1]
    assert 'value="failed"' in page
    assert "&lt;b&gt;other&lt;/b&gt;" in page
    assert _titles(site.visitor("guest").get("/-/pipelines").text) == both[1:]
    assert both[0] in site.visitor("owner").get("/").text
    nothing = site.visitor("stranger").get("/-/pipelines").text
    assert "No pipelines yet" in nothing
    assert "Make a new one" in nothing
    assert "No pipeline is like that" in site.visitor("guest").get("/-/pipelines?search=xyz").text
    assert site.visitor().get("/-/pipelines").status_code == 302
    assert site.visitor("admin").get("/-/pipelines?search=" + "+".join(f"w{n}" for n in range(101))).status_code == 400


def test_the_pages_of_all_pipelines_keep_the_search(site, core):
    for _ in range(25):
        make_pipeline(core, site.project, status="success", calculated_status="succeeded")
    guest = site.visitor("guest")
    first = guest.get("/-/pipelines?search=done").text
    older = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert "search=done" in older
    second = guest.get(older).text
    assert len(_titles(first)) + len(_titles(second)) == 25
    newer = re.search(r'rel="prev" href="([^"]+)"', second)[1].replace("&amp;", "&")
    assert _titles(guest.get(newer).text) == _titles(first)


def test_the_jobs_of_a_project_are_listed_searched_and_shown_as_text(site, core):
    with write(core.session):
        core.session.get_one(type(site.pipeline), site.pipeline.id).ref = "javascript:alert(1)"
    make_job(core, site.pipeline, name="<script>alert(1)</script>", stage="build", status="failed", attempt=2)
    guest = site.visitor("guest")
    page = guest.get("/skerry/hello/-/jobs").text
    assert _titles(page) == ["/skerry/hello/-/jobs/2", "/skerry/hello/-/jobs/1"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "try 2" in page
    assert not re.search(r'(?:href|action|src)="javascript', page)
    assert _titles(guest.get("/skerry/hello/-/jobs?search=SCRIPT+failed").text) == ["/skerry/hello/-/jobs/2"]
    assert "No job is like that" in guest.get("/skerry/hello/-/jobs?search=deploy").text
    assert site.visitor("stranger").get("/skerry/hello/-/jobs").status_code == 404
    assert site.visitor().get("/skerry/hello/-/jobs").status_code == 302


def test_a_project_without_jobs_says_what_to_do_next(site, core, user_of):
    make_project(core, "rocks/big", creator=user_of("owner"))
    assert "git push skerry HEAD:main" in site.visitor("owner").get("/rocks/big/-/jobs").text


def test_suggestions_are_for_those_who_may_read_the_project(site, core):
    guest, stranger = site.visitor("guest"), site.visitor("stranger")

    def offered(visitor, address):
        return re.findall('<option value="([^"]*)">', visitor.get(address).text)

    assert offered(guest, "/-/search/suggestions?search=x+branch:m") == ["x branch:main"]
    assert offered(guest, "/skerry/hello/-/search/suggestions?search=status:sch&jobs=1") == ["status:scheduled"]
    assert offered(guest, "/skerry/hello/-/search/suggestions?search=status:sch") == []
    assert offered(stranger, "/-/search/suggestions?search=branch:") == []
    assert stranger.get("/skerry/hello/-/search/suggestions?search=branch:").status_code == 404
    assert offered(site.visitor(), "/-/search/suggestions?search=repo:") == []
    assert offered(guest, "/-/search/suggestions?search=" + "a" * 10_000) == []


def test_the_jobs_of_all_projects_are_those_that_the_visitor_may_see(site, core, user_of):
    other = make_project(core, "rocks/big", creator=user_of("owner"))
    make_job(core, make_pipeline(core, other, ref="<b>other</b>"), name="<i>lint</i>", status="failed")
    both = ["/rocks/big/-/jobs/2", "/skerry/hello/-/jobs/1"]
    page = site.visitor("admin").get("/-/jobs").text
    assert _titles(page) == both
    assert all(part in page for part in ("&lt;i&gt;lint", 'href="/rocks/big"', "suggestions?jobs=1"))
    assert _titles(site.visitor("owner").get("/-/jobs?search=failed").text) == both[:1]
    assert _titles(site.visitor("owner").get("/-/jobs?search=unit+repo:hello").text) == both[1:]
    assert _titles(site.visitor("guest").get("/-/jobs").text) == both[1:]
    assert "No jobs yet" in site.visitor("stranger").get("/-/jobs").text
    assert "No job is like that" in site.visitor("stranger").get("/-/jobs?search=unit").text
    assert site.visitor().get("/-/jobs").status_code == 302
    words = site.visitor("owner").get("/-/search/suggestions?jobs=1&search=status:man").text
    assert re.findall('value="([^"]*)"', words) == ["status:manual"]
    with write(core.session):
        core.session.get_one(type(other), other.id).visibility = "public"
    assert _titles(site.visitor().get("/-/jobs").text) == both[:1]
