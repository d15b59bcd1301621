"""The list of pipelines and the page of one."""

import re

import pytest

from app.domain.plan import JobPlan, Trigger
from app.models import PipelineLink, User, write
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project


def _ids(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'class="row-title" href="/skerry/hello/-/pipelines/(\d+)"', page)]


def _link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


@pytest.fixture
def many(site, core):
    """Pipelines 1 to 45, every third on another branch and failed."""
    for number in range(2, 46):
        third = number % 3 == 0
        make_pipeline(core, site.project, ref="other" if third else "main", status="failed" if third else "success")
    return site


def test_the_pages_of_the_list_hold_every_pipeline_once_and_lead_back(many):
    guest = many.visitor("guest")
    first = guest.get("/skerry/hello/-/pipelines").text
    second = guest.get(_link(first, "next")).text
    third = guest.get(_link(second, "next")).text
    assert _ids(first) + _ids(second) + _ids(third) == list(range(45, 0, -1))
    assert _link(third, "next") is None
    assert _link(first, "prev") is None
    assert _ids(guest.get(_link(third, "prev")).text) == _ids(second)
    again = guest.get(_link(second, "prev")).text
    assert _ids(again) == _ids(first)
    assert _link(again, "prev") is None


def test_the_list_is_narrowed_by_ref_and_status_and_the_pages_keep_that(many):
    guest = many.visitor("guest")
    assert _ids(guest.get("/skerry/hello/-/pipelines?status=failed&ref=other").text) == list(range(45, 0, -3))
    page = guest.get("/skerry/hello/-/pipelines?ref=main").text
    assert "ref=main" in _link(page, "next")
    assert "No pipeline is like that" in guest.get("/skerry/hello/-/pipelines?ref=nothing").text
    assert guest.get("/skerry/hello/-/pipelines?before=x&after=9999999999999999999").status_code == 200


def test_a_project_without_pipelines_says_what_to_do_next(site, core):
    make_project(
        core, "rocks/big", creator=core.session.query(type(site.pipeline.user)).filter_by(username="owner").one()
    )
    page = site.visitor("owner").get("/rocks/big/-/pipelines").text
    assert "git push skerry HEAD:main" in page
    assert ".gitlab-ci.yml" in page


def test_a_pipeline_shows_stages_in_order_with_a_status_in_words_and_says_how_it_stands(site, core):
    make_job(core, site.pipeline, name="compile", stage="build", status="success")
    make_job(core, site.pipeline, name="ship", stage="deploy", status="manual", when="manual")
    page = site.visitor("developer").get("/skerry/hello/-/pipelines/1").text
    stages = re.findall(r'id="stage-\d+">.*?<span class="one-line">(\w+)</span>', page, re.DOTALL)
    assert stages == ["build", "test", "deploy"]
    assert "1 of 3 jobs are done; unit at work." in page
    for word in ("passed", "running", "manual"):
        assert f">{word}" in page
    assert "/-/jobs/1/cancel" in page
    assert "/-/jobs/3/play" in page


def test_a_pipeline_that_was_replaced_says_by_which(site, core):
    old = make_pipeline(core, site.project, status="canceled", auto_canceled_by_id=site.pipeline.id)
    page = site.visitor("guest").get(f"/skerry/hello/-/pipelines/{old.id}").text
    assert f"Was canceled, because the newer pipeline #{site.pipeline.id} replaced it." in page


def test_a_broken_configuration_is_shown_with_file_and_line(site, core):
    with write(core.session):
        site.pipeline.status, site.pipeline.failure_reason = "failed", "config_error"
        site.pipeline.yaml_errors = ".gitlab-ci.yml:7: unknown keyword <scrip>\nsecond"
    page = site.visitor("guest").get("/skerry/hello/-/pipelines/1").text
    assert ".gitlab-ci.yml:7: unknown keyword &lt;scrip&gt;" in page
    assert "The configuration is broken" in page


def test_warnings_are_shown_as_text(site, core):
    with write(core.session):
        site.pipeline.yaml_warnings = ".gitlab-ci.yml:3: <b> looks wrong"
    page = site.visitor("guest").get("/skerry/hello/-/pipelines/1").text
    assert "What looks wrong in" in page
    assert ".gitlab-ci.yml:3: &lt;b&gt; looks wrong" in page


def test_an_action_on_the_page_of_a_pipeline_stays_there(site, core):
    developer = site.visitor("developer")
    here = "/skerry/hello/-/pipelines/1"
    assert developer.post("/skerry/hello/-/jobs/1/cancel", {"stay": "1"}).location == here
    assert developer.post("/skerry/hello/-/jobs/1/retry", {"stay": "1"}).location == here
    assert "try 2" in developer.get(here).text
    assert developer.post(here + "/cancel").location == here
    assert core.session.get(type(site.job), 2).status == "canceled"
    assert developer.post(here + "/retry").location == here
    assert core.session.get(type(site.job), 3).status == "pending"


def test_a_branch_that_looks_like_a_script_address_is_text(site, core):
    with write(core.session):
        site.pipeline.ref = "javascript:alert(1)"
    for path in ("/skerry/hello/-/pipelines", "/skerry/hello/-/pipelines/1", "/skerry/hello/-/jobs/1"):
        page = site.visitor("guest").get(path).text
        assert "javascript:alert(1)" in page
        assert not re.search(r'(?:href|action|src)="javascript', page)


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_lists_pages_and_streams_are_the_same_on_both_databases(many):
    admin = many.visitor("admin")
    assert "skerry/hello" in admin.get("/?search=HELL&after=a").text
    first = admin.get("/skerry/hello/-/pipelines?status=success").text
    assert _ids(first)[0] == 44
    assert "unit" in admin.get("/skerry/hello/-/pipelines/1").text
    assert "unit" in admin.get("/skerry/hello/-/jobs/1").text
    assert "owner" in admin.get("/skerry/hello/-/project_members").text
    stream = admin.get("/skerry/hello/-/pipelines/1/events", buffered=False)
    pieces = iter(stream.iter_encoded())
    assert [next(pieces)[:5], b"event: changed" in next(pieces)] == [b"retry", True]
    stream.close()


def test_the_search_box_takes_the_search_language_and_pages_keep_it(many):
    guest = many.visitor("guest")
    page = guest.get("/skerry/hello/-/pipelines?search=branch:main+-nothing+done").text
    main = [number for number in range(45, 1, -1) if number % 3]
    assert _ids(page) == main[:20]
    assert 'value="branch:main -nothing done"' in page
    assert _ids(guest.get(_link(page, "next")).text) == main[20:]
    assert _ids(guest.get("/skerry/hello/-/pipelines?search=branch:other&ref=main").text) == []
    assert _ids(guest.get("/skerry/hello/-/pipelines?search=%22&status=running").text) == [1]


def test_a_search_of_more_terms_than_anybody_writes_is_refused(site):
    words = "+".join(f"w{number}" for number in range(101))
    assert site.visitor("guest").get(f"/skerry/hello/-/pipelines?search={words}").status_code == 400


@pytest.fixture
def related(site, core):
    """The pipeline's job `start` has started a child, and a pipeline of another project that only its owner sees."""
    secret = make_project(core, "rocks/secret", creator=core.session.query(User).filter_by(username="owner").one())
    below = make_pipeline(core, secret, source="pipeline", status="success")
    child = make_pipeline(core, site.project, source="parent_pipeline", status="success")
    plan = JobPlan("start", "test", (), trigger=Trigger(project="rocks/secret"))
    jobs = [make_job(core, site.pipeline, plan=plan, bridge=True, name=name, status="success") for name in ("a", "b")]
    ids = [(below.id, jobs[0].id, False), (child.id, jobs[1].id, True)]
    source_id = site.pipeline.id
    with write(core.session):
        for pipeline_id, job_id, is_child in ids:
            core.session.add(
                PipelineLink(
                    pipeline_id=pipeline_id, source_pipeline_id=source_id, source_job_id=job_id, child=is_child
                )
            )
    return below, child, jobs


def test_a_pipeline_leads_to_those_that_its_jobs_started_and_back(site, related):
    below, child, jobs = related
    owner = site.visitor("owner")
    page = owner.get(f"/skerry/hello/-/pipelines/{site.pipeline.id}").text
    assert f'href="/rocks/secret/-/pipelines/{below.id}"' in page
    assert f'href="/skerry/hello/-/pipelines/{child.id}"' in page
    assert f'href="/rocks/secret/-/pipelines/{below.id}"' in owner.get(f"/skerry/hello/-/jobs/{jobs[0].id}").text
    for path, started in (("skerry/hello", child), ("rocks/secret", below)):
        page = owner.get(f"/{path}/-/pipelines/{started.id}").text
        assert f'href="/skerry/hello/-/pipelines/{site.pipeline.id}"' in page


def test_a_project_that_one_may_not_see_is_not_named(site, related):
    below, _child, jobs = related
    developer = site.visitor("developer")
    for path in (f"pipelines/{site.pipeline.id}", f"jobs/{jobs[0].id}"):
        page = developer.get(f"/skerry/hello/-/{path}")
        assert (page.status_code, "secret" in page.text, f'/pipelines/{below.id}"' in page.text) == (200, False, False)


def test_children_are_left_out_of_the_list(site, related):
    assert _ids(site.visitor("owner").get("/skerry/hello/-/pipelines").text) == [site.pipeline.id]
