"""The administrator's pages, one's own profile, the wall board and the palette."""

import html
import re
from datetime import timedelta

from app.domain.permissions import Role
from app.models import AuditEvent, Job, Runner, write
from app.services.accounts.authenticate import user_by_token
from app.services.projects.measure_usage import measure_usage
from tests.factories import (
    PASSWORD,
    make_job,
    make_manager,
    make_member,
    make_pipeline,
    make_project,
    make_runner,
    make_token,
    print_trace,
)

USERS = "/-/admin/users"
#: What the palette offers: (address, title, kind).
LINK = r'href="([^"]+)"><span>(.*?)</span> <span class="quiet">(.*?)</span>'


def test_the_audit_log_names_who_where_and_how_in_pages_and_filters(site, core, user_of):
    _, token = make_token(core, user_of("admin"), name="robot <x>")
    api = site.app.test_client()
    api.put("/api/v4/projects/1", json={"description": "new"}, headers={"PRIVATE-TOKEN": token})
    site.visitor().sign_in("owner", "wrong")
    admin = site.visitor("admin")
    page = admin.get("/-/admin/audit").text
    assert "failed to sign in as <strong>owner</strong>" in page
    assert "token robot &lt;x&gt;" in page
    assert "description: nothing → new" in page
    assert "127.0.0.1" in page
    only = admin.get("/-/admin/audit?subject=project&place=skerry").text
    assert "sign in" not in only.partition("<tbody>")[2]
    assert "skerry/hello" in only
    with write(core.session):
        rows = [
            AuditEvent(created_at=core.now(), action="user.changed", actor="x", address="", way="", place="",
                       target=f"row{number:03}", details={})
            for number in range(60)
        ]  # fmt: skip
        core.session.add_all(rows)
    first = admin.get("/-/admin/audit?actor=X").text
    second = admin.get(f"/-/admin/audit?actor=x&before={rows[10].id}").text
    assert f"?actor=X&amp;before={rows[10].id}" in first
    assert ("row059" in first, "row009" in first, "row009" in second, "row010" in second) == (True, False, True, False)


def test_an_administrator_changes_rights_passwords_and_sessions_of_others(site, core, user_of):
    admin, bob, bob_id = site.visitor("admin"), site.visitor("stranger"), user_of("stranger").id

    def do(verb):
        assert admin.post(f"{USERS}/{bob_id}/{verb}").status_code == 303

    do("promote")
    assert bob.get(USERS).status_code == 200
    do("demote")
    assert bob.get(USERS).status_code == 404
    do("sign_out")
    assert bob.get("/-/profile").status_code == 302
    page = admin.post(f"{USERS}/{bob_id}/password")
    assert (page.status_code, page.headers["Cache-Control"]) == (201, "no-store")
    password = page.text.partition("<pre><code>")[2].partition("<")[0]
    assert bob.sign_in("stranger", PASSWORD).status_code == 401
    assert bob.sign_in("stranger", password).status_code == 303
    own = user_of("admin").id
    for rest in ("demote", "block", "password"):
        assert admin.post(f"{USERS}/{own}/{rest}").status_code == 409, rest
    for rest in ("promote", "sign_out", "password"):
        assert site.visitor("maintainer").post(f"{USERS}/{own}/{rest}").status_code == 404, rest


def test_a_changed_password_ends_every_session_but_this_one(site, core, user_of):
    here, there = site.visitor("developer"), site.visitor("developer")
    _, token = make_token(core, user_of("developer"))
    form = {"current": PASSWORD, "password": "a better password", "again": "a better password"}
    for wrong, field in (({"current": "no"}, "current"), ({"again": "other"}, "again"),
                         ({"password": "short", "again": "short"}, "password")):  # fmt: skip
        page = here.post("/-/profile/password", form | wrong)
        assert (page.status_code, f'id="h-{field}"' in page.text) == (422, True)
        assert "a better password" not in page.text
    assert there.get("/-/profile").status_code == 200
    assert here.post("/-/profile/password", form).status_code == 303
    assert here.get("/-/profile").status_code == 200
    assert there.get("/-/profile").status_code == 302
    assert there.sign_in("developer", "a better password").status_code == 303
    assert here.post("/-/profile/sessions/end").status_code == 303
    assert (here.get("/-/profile").status_code, there.get("/-/profile").status_code) == (200, 302)
    assert user_by_token(core, token), "tokens go on working"


def test_runners_say_why_they_have_nothing_to_do(site, core):
    now, admin = core.now(), site.visitor("admin")
    make_runner(core, description="never")
    rows = [make_runner(core, description=name, tags=["arm"], run_untagged=name != "tagged")[0].id
            for name in ("gone", "idle", "paused", "draining", "busy", "tagged")]  # fmt: skip
    for runner_id in rows:
        make_manager(core, core.session.get_one(Runner, runner_id), version="1.2.3")
    with write(core.session):
        for runner_id in rows:
            core.session.get_one(Runner, runner_id).contacted_at = now
        core.session.get_one(Runner, rows[0]).contacted_at = now - timedelta(hours=1)
        core.session.get_one(Runner, rows[2]).paused = core.session.get_one(Runner, rows[3]).paused = True
    for runner_id in (rows[3], rows[4]):
        make_job(core, site.pipeline, status="running", runner_id=runner_id)

    def said():
        page = admin.get("/-/admin/runners").text.partition("<tbody>")[2].partition("</tbody>")[0]
        found = {}
        for row in page.split("<tr>")[1:]:
            name = row.partition("</strong>")[2].partition("<")[0].strip()
            found[name] = row.partition('why">')[2].partition("</div>")[0]
        return found

    nothing = "Nothing waits in the queue."
    assert said() == {
        "never": "It has never connected: register it on the machine that is to run jobs.",
        "gone": "It does not ask for jobs: its machine is off, or cannot reach this server.",
        "idle": nothing,
        "paused": "Paused: it gets no jobs.",
        "draining": "Draining: one job still at work.",
        "busy": "",
        "tagged": nothing,
    }
    make_job(core, site.pipeline, status="pending", tags=["gpu"])
    assert said()["idle"] == "One job waits, none that it fits: they ask for gpu."
    make_job(core, site.pipeline, status="pending")
    assert said()["idle"] == "One job that it fits waits; it takes one when it asks next."
    assert said()["tagged"] == "2 jobs wait, none that it fits: they ask for gpu."
    assert "1.2.3" in admin.get("/-/admin/runners").text


def test_the_queue_shows_what_waits_by_tag_and_why(site, core):
    admin = site.visitor("admin")
    assert "Nothing waits" in admin.get("/-/admin/queue").text
    for number in range(3):
        make_job(core, site.pipeline, name=f"<gpu>{number}", status="pending", tags=["gpu"],
                 waiting_reason="No runner has the tag gpu.")  # fmt: skip
    make_job(core, site.pipeline, name="plain", status="pending")
    page = admin.get("/-/admin/queue").text
    assert "4 jobs wait for a runner; 1 is at work." in page
    assert '<span class="chip">gpu</span> </td>\n<td class="number" data-label="Waiting">3</td>' in page
    assert page.count("No runner has the tag gpu.") == 3
    assert "&lt;gpu&gt;0" in page


def test_storage_is_counted_by_project(site, core):
    admin = site.visitor("admin")
    assert "Not counted yet" in admin.get("/-/admin/storage").text
    print_trace(core, site.job.id, b"x" * 2048)
    make_project(core, "empty/one")
    assert measure_usage(core) == 2
    assert measure_usage(core) == 2, "it may be counted again"
    page = admin.get("/-/admin/storage").text
    assert page.index("skerry/hello") < page.index("empty/one")
    assert "2.0 KiB" in page


def test_the_board_shows_each_visitor_what_they_may_know(site, core, user_of):
    public = make_project(core, "open/sea", visibility="public")
    hidden = make_project(core, "open/closed", creator=user_of("admin"), visibility="public", public_jobs=False)
    for project, status in ((public, "failed"), (hidden, "success")):
        make_pipeline(core, project, status=status, ref="main")
    make_pipeline(core, public, status="success", ref="other")
    stranger, guest, maintainer, nobody = (site.visitor(name) for name in ("stranger", "guest", "maintainer", None))
    seen = [{name for name in ("hello", "sea", "closed") if f"<strong>{name}</strong>" in visitor.get("/-/board").text}
            for visitor in (nobody, stranger, guest, maintainer, site.visitor("admin"))]  # fmt: skip
    assert seen == [{"sea"}, {"sea"}, {"sea", "hello"}, {"sea", "hello"}, {"sea", "hello", "closed"}]
    page = nobody.get("/-/board").text
    assert "favicon-failed.svg" in page, "the default branch counts, not the newest pipeline"
    assert "Nothing to show" in nobody.get("/-/board?group=skerry").text


def test_the_palette_offers_only_what_the_visitor_may_open(site, core, user_of):
    other = make_project(core, "other/hello-world")
    make_member(core, user_of("reporter"), other, Role.GUEST)
    job_id = core.session.query(Job).one().id

    def offered(name, text):
        found = site.visitor(name).get("/-/palette", query_string={"q": text}).text
        assert ("Nothing fits." in found) == ("<a" not in found)
        return [(kind, html.unescape(title)) for _, title, kind in re.findall(LINK, found)]

    assert offered(None, "hello") == offered("stranger", "hello") == []
    assert ("project", "skerry/hello") in offered("guest", "HEL sker")
    assert {title for _, title in offered("reporter", "hello")} == {"skerry/hello", "other/hello-world"}
    assert ("page", "Pipelines of skerry/hello") in offered("guest", "skerry/hel")
    assert ("job", f"unit (#{job_id}) · skerry/hello") in offered("guest", f"#{job_id}")
    assert offered("stranger", str(job_id)) == offered("guest", "9" * 30) == []
    assert ("page", "Audit log") in offered("admin", "audit")
    assert offered("guest", "audit") == []
    every = re.findall(LINK, site.visitor("admin").get("/-/palette?q=").text)
    assert len(every) > 8
    for address, *_ in every:
        assert site.visitor("admin").get(address).status_code == 200, address


def test_the_keys_lead_from_a_pipeline_or_job_to_the_one_beside_it(site, core):
    first, reporter = site.job.id, site.visitor("reporter")
    build = make_job(core, site.pipeline, name="build", stage="build").id
    make_job(core, site.pipeline, name="lint", stage="build", retried=True)
    newer = make_pipeline(core, site.project).id
    make_pipeline(core, make_project(core, "other/project"))
    expected = {
        f"jobs/{first}/previous": f"jobs/{build}",
        f"jobs/{first}/next": f"jobs/{first}",
        f"jobs/{build}/next": f"jobs/{first}",
        f"jobs/{build}/previous": f"jobs/{build}",
        f"pipelines/{site.pipeline.id}/next": f"pipelines/{newer}",
        f"pipelines/{newer}/next": f"pipelines/{newer}",
        f"pipelines/{newer}/previous": f"pipelines/{site.pipeline.id}",
    }
    seen = {path: reporter.get(f"/skerry/hello/-/{path}").location for path in expected}
    assert seen == {path: f"/skerry/hello/-/{target}" for path, target in expected.items()}
    assert site.visitor("stranger").get(f"/skerry/hello/-/jobs/{first}/next").status_code == 404
