"""Signing in and out."""

from datetime import timedelta

import pytest

from app.domain.errors import NotFound
from app.models import AuditEvent, SignIn, write
from app.services.accounts import sign_ins
from tests.factories import PASSWORD

EVIL = [
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https://evil.example/",
    "http:///evil.example",
    "javascript:alert(1)",
    "/%0d%0aSet-Cookie:x=y\r\nLocation: //evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "evil.example",
    "",
]


def test_a_user_signs_in_and_lands_on_the_page_they_wanted(site):
    visitor = site.visitor()
    asked = visitor.get("/skerry/hello/-/pipelines?status=failed")
    assert asked.location == "/-/sign_in?next=/skerry/hello/-/pipelines?status%3Dfailed"
    response = visitor.sign_in("DEVELOPER", next="/skerry/hello/-/pipelines?status=failed")
    assert (response.status_code, response.location) == (303, "/skerry/hello/-/pipelines?status=failed")
    assert "developer" in visitor.get("/").text


@pytest.mark.parametrize("target", EVIL)
def test_signing_in_never_leads_to_another_host(site, target):
    visitor = site.visitor()
    assert visitor.sign_in("developer", next=target).location == "/"
    assert visitor.get("/-/sign_in", query_string={"next": target}).location == "/"


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(site):
    visitor = site.visitor()
    answers = [visitor.sign_in("developer", "wrong"), visitor.sign_in("nobody", "wrong")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert "do not belong together" in answers[0].text
    assert "do not belong together" in answers[1].text
    assert visitor.get("/-/profile/tokens").status_code == 302


def test_guessing_becomes_slow_for_this_user_from_there_and_for_nobody_else(site):
    visitor = site.visitor()
    for _ in range(5):
        assert visitor.sign_in("developer", "wrong").status_code == 401
    refused = visitor.sign_in("developer", PASSWORD)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert site.visitor().sign_in("reporter").status_code == 303
    elsewhere = site.visitor()
    elsewhere.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.sign_in("developer").status_code == 303


def test_a_session_that_was_planted_does_not_survive_signing_in(site):
    visitor = site.visitor()
    token = visitor.token()
    with visitor.client.session_transaction() as session:
        session["planted"] = "yes"
    visitor.sign_in("developer")
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
        assert session.permanent
    assert visitor.client.post("/-/sign_out", data={"csrf_token": token}).status_code == 400


def test_signing_out_ends_the_session(site):
    visitor = site.visitor("developer")
    assert visitor.post("/-/sign_out").status_code == 303
    assert visitor.get("/-/profile/tokens").status_code == 302


def test_a_copy_of_the_cookie_ends_with_its_session_and_no_other_does(site):
    visitor, other, thief = site.visitor("developer"), site.visitor("developer"), site.visitor()
    with visitor.client.session_transaction() as session, thief.client.session_transaction() as copy:
        copy.update(session)
    assert thief.get("/-/profile/tokens").status_code == 200
    visitor.post("/-/sign_out")
    assert thief.get("/-/profile/tokens").status_code == 302
    assert other.get("/-/profile/tokens").status_code == 200


def test_what_a_session_is_known_by_and_how_one_is_ended_from_elsewhere(site, core, user_of):
    visitor, other = site.visitor("developer"), site.visitor("developer")
    user = user_of("developer")
    newest, oldest = core.session.scalars(sign_ins.sign_ins_of(core, user.id)).all()
    assert (newest.address, newest.agent.partition("/")[0]) == ("127.0.0.1", "Werkzeug")
    with pytest.raises(NotFound):
        sign_ins.revoke_sign_in(core, user_of("reporter"), oldest.id)
    sign_ins.revoke_sign_in(core, user, oldest.id)
    assert [one.get("/-/profile/tokens").status_code for one in (visitor, other)] == [302, 200]


def test_ones_sessions_are_listed_and_ended_one_by_one_or_all_but_this_one(site, core, user_of):
    agents = ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "<b>robot</b>/1", "x/1")
    here, robot, third = (site.visitor() for _ in agents)
    for visitor, agent in zip((here, robot, third), agents, strict=True):
        visitor.client.environ_base["HTTP_USER_AGENT"] = agent
        visitor.sign_in("developer")
    page = here.get("/-/profile/sessions").text
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]
    assert [("Firefox on Linux" in row, "this one" in row, "Sign out" in row) for row in rows] == [
        (False, False, True), (False, False, True), (True, True, False)]  # fmt: skip
    assert ("&lt;b&gt;robot" in page, "<b>robot" in page) == (True, False)
    _, of_robot, _ = core.session.scalars(sign_ins.sign_ins_of(core, user_of("developer").id)).all()
    stranger = site.visitor("stranger")
    assert stranger.post(f"/-/profile/sessions/{of_robot.id}/end").status_code == 404
    assert here.post(f"/-/profile/sessions/{of_robot.id}/end").location == "/-/profile/sessions"
    assert [one.get("/-/profile").status_code for one in (here, robot, third)] == [200, 302, 200]
    event = core.session.query(AuditEvent).filter_by(action="session.revoked").one()
    assert (event.actor, event.target, event.details["from"]) == ("developer", "developer", "127.0.0.1")
    assert here.post("/-/profile/sessions/end").status_code == 303
    assert [one.get("/-/profile").status_code for one in (here, third)] == [200, 302]


def test_a_user_has_only_so_many_sessions_and_dead_ones_go(core, site, user_of, monkeypatch):
    monkeypatch.setattr(sign_ins, "MOST", 2)
    user = user_of("developer")
    secrets = [sign_ins.begin_sign_in(core, user, agent="\0" + "x" * 300) for _ in range(3)]
    assert [sign_ins.is_signed_in(core, user.id, secret) for secret in secrets] == [False, True, True]
    assert not sign_ins.is_signed_in(core, user.id + 1, secrets[2])
    assert core.session.query(SignIn).filter_by(user_id=user.id).count() == 2


def test_a_user_who_is_shut_out_is_out_at_once_everywhere(site, core, user_of):
    visitor, admin = site.visitor("developer"), site.visitor("admin")
    user_id = user_of("developer").id
    assert admin.post(f"/-/admin/users/{user_id}/block").status_code == 303
    assert visitor.get("/-/profile/tokens").status_code == 302
    assert site.visitor().sign_in("developer").status_code == 401
    admin.post(f"/-/admin/users/{user_id}/unblock")
    assert visitor.get("/-/profile/tokens").status_code == 302, "the old session stays ended"
    assert site.visitor().sign_in("developer").status_code == 303


def test_a_new_nonce_ends_all_sessions(site, core, user_of):
    visitor = site.visitor("developer")
    with write(core.session):
        user_of("developer").session_nonce = "another"
    assert visitor.get("/-/profile/tokens").status_code == 302


@pytest.mark.parametrize(("column", "days"), [("created_at", 61), ("last_used_at", 15)])
def test_a_session_ends_after_two_months_whatever_happens_and_after_two_weeks_without_use(site, core, column, days):
    visitor = site.visitor("developer")
    with write(core.session):
        row = core.session.query(SignIn).one()
        setattr(row, column, getattr(row, column) - timedelta(days=days))
    assert visitor.get("/-/profile/tokens").status_code == 302


def test_the_use_of_a_session_is_noted_once_a_day(site, core):
    visitor = site.visitor("developer")
    with write(core.session):
        row = core.session.query(SignIn).one()
        row.last_used_at -= timedelta(days=2)
        before = row.last_used_at
    assert visitor.get("/-/profile/tokens").status_code == 200
    core.session.rollback()
    assert core.session.query(SignIn).one().last_used_at - before >= timedelta(days=2)


def test_no_answer_but_the_first_of_a_day_sets_the_cookie_anew(site):
    """An answer that was under way while the visitor signed out would bring the session back."""
    visitor = site.visitor("developer")
    visitor.get("/")  # brings the session's CSRF token
    for path in ("/", "/-/profile/tokens", "/-/static/today/js/main.js", "/-/ready"):
        assert "Set-Cookie" not in visitor.get(path).headers, path
    with visitor.client.session_transaction() as session:
        session["used_on"] -= 1
    assert "Set-Cookie" not in visitor.get("/-/static/today/js/main.js").headers
    assert "Set-Cookie" in visitor.get("/").headers, "a session in use does not end as an idle one"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    visitor = site.visitor()
    cookie = visitor.sign_in("developer").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
