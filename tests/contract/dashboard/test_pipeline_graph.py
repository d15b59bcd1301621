"""The graph of a pipeline as HTML: what it shows to whom, and what leads where."""

import re
from datetime import timedelta

import pytest

from app.domain.plan import JobPlan, Need, Step, Trigger
from app.models import CommitStatus, Job, Pipeline, PipelineLink, write
from app.services.pipelines.show_graph import graph_version
from tests.factories import make_job, make_pipeline, make_project
from tests.support.statements import statements

HERE = "/skerry/hello/-/pipelines/1"
LINE = re.compile(r'<path d="(M[^"]+)" data-from="([\w-]+)" data-to="([\w-]+)"( class="critical")?/>')


def add(site, core, name: str, stage: str, needs: tuple[str, ...] | None = None, **given) -> Job:
    """A job that ran for ten seconds, `after` seconds since the pipeline began, unless it says otherwise."""
    after = given.pop("after", None)
    if after is not None:
        start = site.pipeline.created_at + timedelta(seconds=after)
        given |= {"started_at": start, "finished_at": start + timedelta(seconds=10)}
    found = None if needs is None else tuple(Need(need) for need in needs)
    plan = JobPlan(name, stage, (Step("script", ("true",)),), needs=found, when=given.get("when", "on_success"))
    return make_job(core, site.pipeline, plan=plan, **{"status": "success", **given})


def lines(page: str) -> list[tuple[str, str, bool]]:
    return [(start, end, bool(critical)) for _, start, end, critical in LINE.findall(page)]


def cards(page: str) -> dict[str, str]:
    """The text of each card by its key."""
    found = re.findall(r'<li class="job-card [^"]*" data-key="([\w-]+)">(.*?)</li>', page, re.DOTALL)
    return {key: re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).strip() for key, body in found}


@pytest.fixture
def diamond(site, core) -> dict[str, Job]:
    """`compile` needed by two instances of `test` and by `lint`, all needed by `ship`; `unit` is still running."""
    site.job.pipeline_id, jobs = site.pipeline.id, {}
    jobs["compile"] = add(site, core, "compile", "build", after=0)
    for number, after in (("1/2", 10), ("2/2", 30)):
        jobs[f"test {number}"] = add(site, core, f"test {number}", "test", ("compile",), after=after)
    jobs["lint"] = add(site, core, "lint", "test", ("compile",), after=10)
    jobs["ship"] = add(
        site, core, "ship", "deploy", ("test 1/2", "test 2/2", "lint", "compile"), status="manual", when="manual"
    )
    with write(core.session):
        core.session.get_one(Job, 1).started_at = site.pipeline.created_at + timedelta(days=-2)
        core.session.get_one(Job, 1).finished_at = site.pipeline.created_at + timedelta(days=-1)
    return jobs


def test_lines_join_what_is_needed_through_folded_groups_and_the_critical_path_is_named(site, diamond):
    page = site.visitor("developer").get(HERE).text
    group, key = f"group-job-{diamond['test 1/2'].id}", {name: f"job-{job.id}" for name, job in diamond.items()}
    assert sorted(lines(page)) == sorted(
        [
            (key["compile"], key["lint"], False),
            (key["compile"], group, True),
            (key["lint"], key["ship"], False),
            (group, key["ship"], False),
        ]
    )
    shown = cards(page)
    assert "2 passed" in shown[group]
    assert key["test 1/2"] not in shown
    assert "needs test 1/2, test 2/2, lint, compile" in shown[key["ship"]]
    path = re.search(r"Critical path, ([^:]+): (.*?)</p>", page)
    assert path[1] == "20 s"
    assert re.findall(r">([^<]+)</a>", path[2]) == ["compile", "test 2/2"]
    assert "on the critical path" in shown[key["compile"]]
    assert "on the critical path" not in shown[key["lint"]]


def test_a_group_opens_and_closes_by_its_link_and_forms_come_back_to_that(site, diamond):
    developer = site.visitor("developer")
    folded = developer.get(HERE).text
    address = re.search(r'class="group" href="([^"]+)"[^>]* aria-expanded="false"', folded)[1]
    assert address == f"{HERE}?open=test"
    opened = developer.get(address).text
    first, second = (f"job-{diamond[name].id}" for name in ("test 1/2", "test 2/2"))
    assert {first, second} <= set(cards(opened))
    assert ("job-2", second, True) in lines(opened)
    assert re.search(f'class="group" href="{HERE}"[^>]* aria-expanded="true"', opened)
    assert 'name="stay" value="open=test"' in opened
    job = diamond["lint"].id
    again = developer.post(
        f"/skerry/hello/-/jobs/{job}/retry", {"stay": "open=test&next=//evil&view=list" + "&x=1" * 200}
    )
    assert again.location == f"{HERE}?open=test&view=list"


def test_the_list_has_every_job_with_its_needs_and_tries_and_is_narrowed_by_status(site, core, diamond):
    developer = site.visitor("developer")
    developer.post(f"/skerry/hello/-/jobs/{diamond['lint'].id}/retry", {"stay": "1"})
    page = developer.get(f"{HERE}?view=list").text
    assert re.findall(r'<tr data-key="job-(\d+)">', page) == ["2", "7", "3", "4", "1", "6"]
    row = page.partition('<tr data-key="job-7">')[2].partition("</tr>")[0]
    for expected in ("/-/jobs/5", "/-/jobs/7", "try 1", "try 2", "compile", "pending"):
        assert expected in row
    assert re.findall(r'data-key="job-(\d+)"', developer.get(f"{HERE}?view=list&only=manual").text) == ["6"]
    assert "No job is skipped" in developer.get(f"{HERE}?view=list&only=skipped").text
    graph = developer.get(HERE).text
    assert "try 2" in cards(graph)["job-7"]
    assert 'popovertarget="tries-7"' in graph


def test_actions_and_variables_are_offered_to_those_who_may(site, core, diamond):
    start = f'action="/skerry/hello/-/jobs/{diamond["ship"].id}/play"'
    assert site.visitor("reporter").get(HERE).text.count(start) == 0
    assert site.visitor("developer").get(HERE).text.count(start) == 2
    with write(core.session):
        core.session.get_one(type(site.project), site.project.id).variables_role = "maintainer"
    assert site.visitor("developer").get(HERE).text.count(start) == 1
    assert site.visitor("maintainer").get(HERE).text.count(start) == 2


def test_a_job_runs_again_from_the_graph_and_the_list_with_other_inputs_or_variables(site, core):
    inputs = [{"name": "target", "value": '"moon"', "options": ['"moon"', '"mars"']}]
    plain = make_job(core, site.pipeline, name="plain", status="failed", finished_at=core.now())
    manual = make_job(core, site.pipeline, name="by hand", when="manual", status="failed", finished_at=core.now())
    fly = make_job(core, site.pipeline, name="fly", status="failed", finished_at=core.now())
    with write(core.session):
        held = core.session.get_one(Job, fly.id)
        held.plan = {**held.plan, "inputs": inputs}
    developer = site.visitor("developer")
    for address in (HERE, f"{HERE}?view=list"):
        page = developer.get(address).text
        asked = {job.id: page.partition(f'id="start-{job.id}"')[2].partition("</form>")[0] for job in (manual, fly)}
        assert f'id="start-{plain.id}"' not in page, "one button is enough"
        assert 'aria-label="Retry fly with inputs" title="Retry fly with inputs"' in page
        assert '<option value="moon" selected>moon</option>' in asked[fly.id]
        assert ('name="key"' in asked[fly.id], 'name="key"' in asked[manual.id]) == (False, True)
        assert f'action="/skerry/hello/-/jobs/{fly.id}/retry"' in asked[fly.id]
        assert len(re.findall(r' id="([^"]+)"', page)) == len(set(re.findall(r' id="([^"]+)"', page)))
    again = developer.post(f"/skerry/hello/-/jobs/{fly.id}/retry", {"input:target": "mars", "stay": "view=list"})
    assert again.location == f"{HERE}?view=list"
    fresh = core.session.query(Job).order_by(Job.id.desc()).first()
    assert fresh.plan["inputs"][0]["value"] == '"mars"'


@pytest.fixture
def reported(site, core) -> list[CommitStatus]:
    pipeline_id, now = site.pipeline.id, core.now()
    rows = [
        CommitStatus(pipeline_id=pipeline_id, name=name, status=status, created_at=now, **given)
        for name, status, given in (
            ("scan 1/2", "success", {"target_url": "https://example.com/<x>", "description": "<b>none</b> found"}),
            ("scan 2/2", "failed", {"target_url": "javascript:alert(1)", "coverage": 71.25}),
            ("old", "failed", {"retried": True}),
        )
    ]
    with write(core.session):
        core.session.add_all(rows)
    return rows


def test_what_other_systems_report_stands_beside_the_jobs(site, reported):
    guest = site.visitor("guest")
    for address in (HERE, f"{HERE}?view=list"):
        page = guest.get(address).text
        assert 'href="https://example.com/&lt;x&gt;" rel="noopener noreferrer nofollow"' in page
        assert "javascript:" not in page
        assert "&lt;b&gt;none&lt;/b&gt; found" in page
        assert ">old<" not in page
    shown = cards(guest.get(HERE).text)
    assert "71.2 %" in shown[f"status-{reported[1].id}"]
    assert [shown[f"status-{row.id}"].split(" passed")[0] for row in reported[:1]] == ["scan 1/2"]


@pytest.fixture
def family(site, core, user_of):
    """The pipeline was started by one of a project that only its owner sees, and has started two others."""
    secret = make_project(core, "rocks/secret", creator=user_of("owner"))
    above = make_pipeline(core, secret, status="success")
    trigger = make_job(core, above, name="start hello", bridge=True, status="success")
    below, hidden = (make_pipeline(core, project, status="running") for project in (site.project, secret))
    plan = JobPlan("down", "test", (), trigger=Trigger(project="skerry/hello"))
    jobs = [make_job(core, site.pipeline, plan=plan, name=name, bridge=True, status="success") for name in "ab"]
    own = site.pipeline.id
    links = [(own, above.id, trigger.id), (below.id, own, jobs[0].id), (hidden.id, own, jobs[1].id)]
    with write(core.session):
        core.session.get_one(Pipeline, own).source = "pipeline"
        for pipeline_id, source_id, job_id in links:
            core.session.add(
                PipelineLink(pipeline_id=pipeline_id, source_pipeline_id=source_id, source_job_id=job_id, child=False)
            )
    return above, below, hidden, jobs


def test_upstream_and_downstream_pipelines_are_columns_as_far_as_one_may_see_them(site, family):
    above, below, hidden, jobs = family
    page = site.visitor("owner").get(HERE).text
    titles = re.findall(r'<h2 id="stage-\d+">.*?<span class="one-line">([^<]+)</span>', page, re.DOTALL)
    assert titles == ["Upstream", "test", "Downstream"]
    assert (f"job-{jobs[0].id}", f"pipeline-{below.id}", False) in lines(page)
    assert {f"pipeline-{each.id}" for each in (above, below, hidden)} <= set(cards(page))
    page = site.visitor("developer").get(HERE).text
    assert {key for key in cards(page) if key.startswith("pipeline")} == {f"pipeline-{below.id}"}
    assert "secret" not in page


def test_the_page_hears_of_statuses_from_outside_and_of_downstream_pipelines(site, core, reported, family):
    versions = [graph_version(core, site.pipeline.id)]
    with write(core.session):
        core.session.get_one(CommitStatus, reported[0].id).status = "failed"
    versions.append(graph_version(core, site.pipeline.id))
    with write(core.session):
        core.session.get_one(Pipeline, family[1].id).status = "success"
    versions.append(graph_version(core, site.pipeline.id))
    assert len(set(versions)) == 3
    assert graph_version(core, site.pipeline.id) == versions[-1]
    assert graph_version(core, 999) is None
    stream = site.visitor("guest").get(f"{HERE}/events?version={versions[0]}", buffered=False)
    pieces = iter(stream.iter_encoded())
    assert b"retry" in next(pieces)
    assert next(pieces) == f"event: changed\ndata: {versions[-1]}\n\n".encode()
    stream.close()


def test_a_pipeline_of_many_jobs_takes_no_more_queries_than_one_of_few(site, core):
    developer, counts = site.visitor("developer"), []
    for jobs in (5, 60):
        for number in range(jobs):
            add(site, core, f"job {number} of {jobs}", "build", (), status="manual", when="manual")
        with statements() as seen:
            page = developer.get(HERE).text
        counts.append(len(seen))
    assert len(cards(page)) == 66
    assert counts[0] == counts[1] < 40
