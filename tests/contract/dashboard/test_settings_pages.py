"""Variables, members, runners, tokens, users, new projects: what the forms do and what they refuse."""

import re

import pytest

from app.models import AccessToken, CiVariable, Membership, Project, Runner, User
from app.services.accounts.authenticate import runner_by_token, user_by_token
from tests.factories import make_runner

CI_CD = "/skerry/hello/-/settings/ci_cd"


def _variable(core, key):
    return core.session.query(CiVariable).filter_by(key=key).one()


def test_a_variable_is_added_and_its_value_is_hidden_until_asked_for(site, core):
    maintainer = site.visitor("maintainer")
    form = {"key": "TOKEN", "value": "line one\r\nline two", "protected": "1", "description": "for deploys"}
    assert maintainer.post(CI_CD, form).status_code == 303
    row = _variable(core, "TOKEN")
    assert row.protected
    assert not row.masked
    assert core.box.open(row.value_sealed, row.seal_context) == "line one\nline two"
    for path in (CI_CD, f"{CI_CD}/{row.id}"):
        assert "line one" not in maintainer.get(path).text
    shown = maintainer.post(f"{CI_CD}/{row.id}/reveal")
    assert "line one\nline two" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_variable_is_changed_with_and_without_its_value_and_removed(site, core):
    maintainer = site.visitor("maintainer")
    maintainer.post(CI_CD, {"key": "A", "value": "first"})
    row = _variable(core, "A")
    maintainer.post(f"{CI_CD}/{row.id}", {"protected": "1"})
    row = _variable(core, "A")
    assert (row.protected, core.box.open(row.value_sealed, row.seal_context)) == (True, "first")
    maintainer.post(f"{CI_CD}/{row.id}", {"value": "second"})
    row = _variable(core, "A")
    assert (row.protected, core.box.open(row.value_sealed, row.seal_context)) == (False, "second")
    assert maintainer.post(f"{CI_CD}/{row.id}/remove").status_code == 303
    assert core.session.query(CiVariable).count() == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"key": "no good", "value": "x"}, "Key can contain only letters"),
        ({"key": "A", "value": "short", "masked": "1"}, "cannot be masked"),
        ({"key": "A", "value": "x" * 10_001}, "Value is too long"),
    ],
)
def test_a_variable_that_makes_no_sense_is_refused_beside_its_field(site, core, form, said):
    response = site.visitor("maintainer").post(CI_CD, form)
    assert response.status_code == 422
    assert said in response.text
    assert 'aria-invalid="true"' in response.text
    assert core.session.query(CiVariable).count() == 0


def test_a_second_variable_of_the_same_key_is_refused(site):
    maintainer = site.visitor("maintainer")
    maintainer.post(CI_CD, {"key": "A", "value": "x"})
    assert "already" in maintainer.post(CI_CD, {"key": "A", "value": "y"}).text


def test_a_variable_of_another_project_is_not_reached(site, core):
    site.visitor("maintainer").post(CI_CD, {"key": "A", "value": "x"})
    row = _variable(core, "A")
    admin = site.visitor("admin")
    admin.post("/-/projects/new", {"full_path": "other/project", "visibility": "private"})
    for action in ("", "/reveal", "/remove"):
        assert admin.post(f"/other/project/-/settings/ci_cd/{row.id}{action}", {"value": "z"}).status_code == 404


def test_a_developer_neither_sees_nor_changes_variables(site, core):
    site.visitor("maintainer").post(CI_CD, {"key": "A", "value": "x"})
    developer, row = site.visitor("developer"), _variable(core, "A")
    answers = [developer.post(CI_CD, {"key": "B", "value": "x"})]
    answers += [developer.post(f"{CI_CD}/{row.id}/{verb}") for verb in ("reveal", "remove")]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_members_are_added_changed_and_removed(site, core, user_of):
    maintainer = site.visitor("maintainer")
    path = "/skerry/hello/-/project_members"
    assert maintainer.post(path, {"username": "STRANGER", "role": "30"}).status_code == 303
    stranger = site.visitor("stranger")
    assert stranger.get("/skerry/hello").status_code == 200
    maintainer.post(path, {"username": "stranger", "role": "10"})
    row = core.session.query(Membership).filter_by(user_id=user_of("stranger").id).one()
    assert row.role == 10
    maintainer.post(f"{path}/{row.id}/remove")
    assert stranger.get("/skerry/hello").status_code == 404


def test_nobody_gives_a_role_above_their_own_and_an_owner_stays(site, core, user_of):
    maintainer, owner = site.visitor("maintainer"), site.visitor("owner")
    path = "/skerry/hello/-/project_members"
    assert maintainer.post(path, {"username": "maintainer", "role": "50"}).status_code == 422
    own = core.session.query(Membership).filter_by(user_id=user_of("owner").id, project_id=site.project.id).one()
    assert maintainer.post(f"{path}/{own.id}/remove").status_code == 403
    core.session.query(Membership).filter(Membership.group_id.is_not(None)).delete()
    core.session.commit()
    assert owner.post(f"{path}/{own.id}/remove").status_code == 409
    assert "there is no user" in owner.post(path, {"username": "ghost", "role": "30"}).text.lower()
    assert owner.post(path, {"username": "stranger", "role": "99"}).status_code == 422


def test_a_runner_is_created_with_its_token_shown_once_then_paused_and_removed(site, core):
    admin = site.visitor("admin")
    page = admin.post("/-/admin/runners", {"description": "rock", "tags": "docker, arm64", "run_untagged": "1"})
    assert page.status_code == 201
    token = re.search(r"<code>(glrt-[^<]+)</code>", page.text)[1]
    assert f"skerry-runner register --url {core.config.external_url} --token {token}" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert token not in admin.get("/-/admin/runners").text
    runner = runner_by_token(core, token)
    assert (runner.tags, runner.run_untagged, runner.runner_type) == (["arm64", "docker"], True, "instance_type")
    admin.post(f"/-/admin/runners/{runner.id}/pause")
    assert core.session.get(Runner, runner.id).paused
    assert "paused" in admin.get("/-/admin/runners").text
    admin.post(f"/-/admin/runners/{runner.id}/resume")
    assert not core.session.get(Runner, runner.id).paused
    admin.post(f"/-/admin/runners/{runner.id}/remove")
    assert runner_by_token(core, token) is None


def test_a_maintainer_makes_runners_of_the_project_and_cannot_touch_others(site, core):
    shared, _ = make_runner(core, description="shared")
    maintainer = site.visitor("maintainer")
    page = maintainer.post("/skerry/hello/-/runners", {"tags": "x"})
    assert page.status_code == 201
    own = core.session.query(Runner).filter_by(project_id=site.project.id).one()
    assert "shared" in page.text
    assert f"/runners/{own.id}/pause" in page.text
    assert f"/runners/{shared.id}/pause" not in page.text
    assert maintainer.post(f"/skerry/hello/-/runners/{shared.id}/pause").status_code == 404
    assert maintainer.post(f"/-/admin/runners/{shared.id}/pause").status_code == 404
    assert maintainer.post("/skerry/hello/-/runners", {"tags": ""}).status_code == 422


def test_a_token_is_shown_once_works_and_is_revoked(site, core):
    developer = site.visitor("developer")
    page = developer.post("/-/profile/tokens", {"name": "push <b>", "scopes": ["api"], "expires_at": "2099-01-31"})
    assert page.status_code == 201
    token = re.search(r"<code>(glpat-[^<]+)</code>", page.text)[1]
    assert "push &lt;b&gt;" in page.text
    assert user_by_token(core, token)[0].username == "developer"
    listed = developer.get("/-/profile/tokens").text
    assert token not in listed
    row = core.session.query(AccessToken).one()
    assert site.visitor("reporter").post(f"/-/profile/tokens/{row.id}/revoke").status_code == 404
    assert site.visitor("admin").post(f"/-/profile/tokens/{row.id}/revoke").status_code == 404
    assert developer.post(f"/-/profile/tokens/{row.id}/revoke").status_code == 303
    assert user_by_token(core, token) is None


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scopes": "api"},
        {"name": "x"},
        {"name": "x", "scopes": "root"},
        {"name": "x", "scopes": "api", "expires_at": "soon"},
        {"name": "x", "scopes": "api", "expires_at": "2001-01-01"},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(site, core, form):
    assert site.visitor("developer").post("/-/profile/tokens", form).status_code == 422
    assert core.session.query(AccessToken).count() == 0


def test_an_administrator_makes_a_user_whose_password_is_shown_once(site):
    admin = site.visitor("admin")
    page = admin.post("/-/admin/users", {"username": "fresh", "email": "fresh@example.com"})
    password = re.search(r"<code>([^<]+)</code>", page.text)[1]
    assert site.visitor().sign_in("fresh", password).status_code == 303
    assert admin.post("/-/admin/users", {"username": "fresh"}).status_code == 422
    assert admin.post("/-/admin/users", {"username": "not good"}).status_code == 422


def test_an_administrator_cannot_shut_themselves_out(site, user_of):
    admin = site.visitor("admin")
    assert admin.post(f"/-/admin/users/{user_of('admin').id}/block").status_code == 409
    assert admin.get("/-/admin/users").status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"full_path": "skerry/hello"},
        {"full_path": "single"},
        {"full_path": "api/v4"},
        {"full_path": "-/x"},
        {"full_path": "a/../b"},
        {"full_path": "good/path", "visibility": "secret"},
        {"full_path": "good/path", "mirror_url": "file:///etc"},
        {"full_path": "good/path", "repository": "mirrored", "mirror_url": ""},
        {"full_path": "good/path", "starter": "../python"},
        {"full_path": "skerry/mine"},
    ],
)
def test_a_project_that_cannot_be_is_refused_with_a_reason(site, core, form):
    page = site.visitor("stranger").post("/-/projects/new", {"visibility": "private", **form})
    assert page.status_code == 422
    assert "hint wrong" in page.text or 'role="alert"' in page.text
    assert core.session.query(Project).count() == 1


def test_the_address_of_a_mirror_is_never_shown_again(site):
    form = {"full_path": "a/b", "visibility": "secret", "mirror_url": "https://user:hunter2@example.com/x.git"}
    assert "hunter2" not in site.visitor("developer").post("/-/projects/new", form).text


def test_no_member_has_a_page_of_users(site, core):
    assert core.session.query(User).count() == 7
    assert site.visitor("maintainer").post("/-/admin/users", {"username": "x"}).status_code == 404
