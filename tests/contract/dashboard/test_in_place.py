"""Requests of a page that is there already (htmx): it gets its parts, is led on, or hears what was refused."""

import re

from app.domain.permissions import Role
from app.models import CiVariable, Group, Job, write
from tests.factories import make_member, make_runner

JOB, PIPELINE = "/skerry/hello/-/jobs/{}", "/skerry/hello/-/pipelines/{}"
PARTS = re.compile(r'<\w+ id="([^"]+)"[^>]* hx-swap-oob')


def _headers(page: str, target: str = "main") -> dict[str, str]:
    return {"HX-Request": "true", "HX-Current-URL": f"http://localhost{page}", "HX-Target": target}


def test_a_page_that_looks_again_gets_its_parts_and_its_title_without_the_log(site):
    developer = site.visitor("developer")
    job, pipeline = JOB.format(site.job.id), PIPELINE.format(site.pipeline.id)
    for address, title, parts in (
        (job, f"unit (#{site.job.id})", {"page", "job-heading", "sentence", "job-side", "tests-part"}),
        (pipeline, f"pipeline #{site.pipeline.id}", {"page", "pipeline-heading", "sentence", "graph", "graph-bar"}),
        ("/skerry/hello/-/pipelines", "Pipelines", {"page", "lists"}),
    ):
        whole = developer.get(address).text
        again = developer.get(address, headers=_headers(address))
        assert "HX-Request" in again.headers["Vary"]
        assert re.search(f"^<title>[^<]*{re.escape(title)}", again.text.strip()), again.text[:200]
        assert parts <= set(PARTS.findall(again.text)) == set(PARTS.findall(whole)), address
        assert "<head>" in whole
        assert "<head>" not in again.text
        assert "messages" not in PARTS.findall(again.text), "what was said before stays"
    assert "data-log " in developer.get(job).text
    assert "data-log " not in developer.get(job, headers=_headers(job)).text


def test_a_form_stays_on_its_page_is_led_to_another_or_hears_what_was_refused(site, core):
    developer = site.visitor("developer")
    job, pipeline = JOB.format(site.job.id), PIPELINE.format(site.pipeline.id)

    stays = developer.post(f"{job}/cancel", headers=_headers(job))
    assert (stays.status_code, stays.location) == (303, job)
    said = developer.get(job, headers=_headers(job)).text
    assert "messages" in PARTS.findall(said)
    assert "being canceled" in said

    leads = developer.post(f"{job}/retry", headers=_headers(job))
    assert (leads.status_code, leads.headers["HX-Redirect"], leads.text) == (204, JOB.format(site.job.id + 1), "")
    assert "Location" not in leads.headers
    fresh = JOB.format(site.job.id + 1)
    loads = developer.post(f"{fresh}/cancel", headers=_headers(fresh, target=""))
    assert loads.headers["HX-Redirect"] == fresh, "a page without parts for all that changed is loaded again"
    strange = developer.post(f"{fresh}/retry", headers=_headers(fresh) | {"HX-Current-URL": "http://["})
    assert (strange.status_code, "HX-Redirect" in strange.headers) == (204, True), "no address that any browser has"
    for stay, stays_here in (("view=list&only=failed", True), ("view=list", False)):
        page = f"{pipeline}?only=failed&view=list#graph"
        answer = developer.post(f"{pipeline}/retry", {"stay": stay}, headers=_headers(page))
        assert (answer.status_code == 303) is stays_here, stay

    refused = developer.post(f"{job}/erase", headers=_headers(pipeline))
    assert refused.status_code in (403, 409)
    assert PARTS.findall(refused.text) == ["messages"], "nothing else of the page changes"
    assert re.search(r'id="messages"[^>]*>\s*<p class="notice failed">[^<]{10,}</p>', refused.text)


def test_a_page_that_looks_again_is_led_nowhere(site, core):
    job = JOB.format(site.job.id)
    signed_out = site.visitor().get(job, headers=_headers(job))
    assert (signed_out.status_code, signed_out.text) == (204, "")
    assert {"HX-Redirect", "Location"}.isdisjoint(signed_out.headers.keys())
    followed = site.visitor().get(job, headers=_headers(job) | {"HX-Boosted": "true"})
    assert followed.headers["HX-Redirect"].startswith("/-/sign_in?"), "a link does not do nothing"
    with write(core.session):
        core.session.delete(core.session.get_one(Job, site.job.id))
    lost = site.visitor("developer").get(job, headers=_headers(job))
    assert lost.status_code == 404
    assert PARTS.findall(lost.text) == []


def test_lists_of_runners_variables_and_members_change_in_place(site, core, user_of):
    owner, admin, base = site.visitor("owner"), site.visitor("admin"), "/-/groups/skerry/-"
    make_member(core, user_of("guest"), core.session.query(Group).one(), Role.REPORTER)
    owner.post(f"{base}/settings/ci_cd", {"key": "TOKEN", "value": "x"})
    variable, runner = core.session.query(CiVariable).one().id, make_runner(core)[0].id
    guest = user_of("guest").id
    for visitor, page, act, part, gone in (
        (owner, f"{base}/settings/ci_cd", f"{variable}/remove", "lists", "TOKEN</code>"),
        (owner, f"{base}/members", f"{guest}/remove", "lists", "<td>reporter"),
        (admin, "/-/admin/runners", f"{runner}/pause", "runners", "Pause</button>"),
        (admin, "/-/admin/runners", f"{runner}/remove", "runners", f"<strong>#{runner}</strong>"),
    ):
        before = visitor.get(page).text
        form = before.partition(f'action="{page}/{act}"')[2].partition(">")[0]
        assert 'hx-target="#main"' in form, act
        inside = _part(before, part)
        assert gone in inside, act
        stays = visitor.post(f"{page}/{act}", headers=_headers(page))
        assert (stays.status_code, stays.location) == (303, page), act
        after = visitor.get(page, headers=_headers(page)).text
        assert gone not in _part(after, part), act
        assert "messages" in PARTS.findall(after), act


def _part(page: str, name: str) -> str:
    """What comes of the part of that name and behind it."""
    found = page.partition(f'<div id="{name}" hx-swap-oob')
    assert found[1], f"the page has no part {name}"
    return found[2]
