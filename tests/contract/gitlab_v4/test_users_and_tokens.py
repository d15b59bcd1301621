"""Users, personal access tokens, what the server is."""

from datetime import timedelta

import pytest

from app.domain.errors import InvalidRequest
from app.models import AuditEvent, User
from app.services.accounts.authenticate import user_by_password
from app.services.accounts.create_token import create_token
from tests.contract.gitlab_v4.shapes import differences
from tests.support.gitlab import Api
from tests.support.place import Place

TOKEN = {
    "id": "integer",
    "name": "text",
    "revoked": "boolean",
    "created_at": "time",
    "description": "text?",
    "scopes": "list",
    "user_id": "integer",
    "last_used_at": "time?",
    "active": "boolean",
    "expires_at": "text?",
}


def test_who_one_is(api: Api) -> None:
    shown = api.get("/user").json
    assert (shown["username"], shown["state"], shown["is_admin"], shown["email"]) == ("maintainer", "active", False, "")
    assert api.get("/user", token=None).json == {"message": "401 Unauthorized"}


def test_other_users_show_no_address(api: Api, place: Place) -> None:
    user = place.user("eve", email="eve@example.com")
    shown = api.get(f"/users/{user.id}").json
    assert shown["username"] == "eve"
    assert "eve@example.com" not in str(shown)
    assert [row["username"] for row in api.get("/users?username=EVE").json] == ["eve"]
    assert [row["username"] for row in api.get("/users?search=ev").json] == ["eve", "developer"]


def test_the_version(api: Api) -> None:
    version = api.get("/version").json
    assert version["version"].split(".")[0].isdigit()
    assert set(version) == {"version", "revision"}
    whole = api.get("/metadata").json
    assert whole == version | {
        "kas": {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None},
        "enterprise": False,
    }


def test_the_token_in_use_says_what_it_is_and_gives_itself_up(api: Api, place: Place) -> None:
    token = place.token(place.users["guest"], scopes=["read_user"])
    shown = api.get("/personal_access_tokens/self", token=token).json
    assert differences(shown, TOKEN) == []
    assert (shown["scopes"], shown["active"], shown["user_id"]) == (["read_user"], True, place.users["guest"].id)
    assert api.delete("/personal_access_tokens/self", token=token).status_code == 204
    assert api.get("/personal_access_tokens/self", token=token).status_code == 401


def test_everyone_lists_and_revokes_their_own_tokens(api: Api, place: Place) -> None:
    user = place.users["maintainer"]
    place.token(user, name="spare", revoked_at=place.core.now())
    old = place.token(user, name="old", expires_at=place.core.now() - timedelta(days=1))
    rows = api.get("/personal_access_tokens").json
    assert [row["name"] for row in rows] == ["test", "spare", "old"]
    assert [row["active"] for row in rows] == [True, False, False]
    assert {row["user_id"] for row in rows} == {user.id}
    assert old not in str(rows)
    assert [row["name"] for row in api.get("/personal_access_tokens?state=inactive").json] == ["spare", "old"]
    assert [row["name"] for row in api.get("/personal_access_tokens?revoked=true").json] == ["spare"]
    assert [row["name"] for row in api.get("/personal_access_tokens?search=OL").json] == ["old"]
    own = rows[0]["id"]
    assert api.get(f"/personal_access_tokens/{own}").json["name"] == "test"
    assert api.delete(f"/personal_access_tokens/{own}").status_code == 204
    assert api.get("/user").status_code == 401


def test_other_peoples_tokens_are_an_admins_business(api: Api, place: Place) -> None:
    guest = place.users["guest"].id
    rows = api.get(f"/personal_access_tokens?user_id={guest}", token=place.tokens["admin"]).json
    assert [row["user_id"] for row in rows] == [guest]
    assert api.get(f"/personal_access_tokens?user_id={guest}").status_code == 401
    assert api.get(f"/personal_access_tokens/{rows[0]['id']}").status_code == 404
    assert api.delete(f"/personal_access_tokens/{rows[0]['id']}").status_code == 404
    assert api.delete(f"/personal_access_tokens/{rows[0]['id']}", token=place.tokens["admin"]).status_code == 204
    assert api.get("/user", token=place.tokens["guest"]).status_code == 401


def test_rotating_a_token(api: Api, place: Place) -> None:
    user = place.users["developer"]
    old = place.token(user, name="deploy", scopes=["api", "read_user"])
    fresh = api.post("/personal_access_tokens/self/rotate", token=old, json={"expires_at": "2999-01-02"})
    assert fresh.status_code == 200
    assert [fresh.json[key] for key in ("name", "scopes", "active", "expires_at", "user_id")] == [
        "deploy",
        ["api", "read_user"],
        True,
        "2999-01-02",
        user.id,
    ]
    assert api.get("/user", token=old).status_code == 401
    assert api.get("/user", token=fresh.json["token"]).json["username"] == "developer"
    own = place.tokens["developer"]
    again = api.post(f"/personal_access_tokens/{fresh.json['id']}/rotate", token=own)
    assert (again.status_code, again.json["expires_at"] is not None) == (200, True)
    assert api.get("/user", token=fresh.json["token"]).status_code == 401
    revoked = api.post(f"/personal_access_tokens/{fresh.json['id']}/rotate", token=own)
    assert revoked.status_code == 409
    assert api.post(f"/personal_access_tokens/{again.json['id']}/rotate").json == {"message": "404 Not Found"}
    late = api.post("/personal_access_tokens/self/rotate", token=own, json={"expires_at": "2001-01-01"})
    assert (late.status_code, list(late.json["message"])) == (400, ["expires_at"])


def test_an_admin_makes_tokens_for_others(api: Api, place: Place) -> None:
    user, admin = place.users["guest"], place.tokens["admin"]
    address = f"/users/{user.id}/personal_access_tokens"
    made = api.post(address, token=admin, json={"name": "bot", "scopes": ["read_user"]})
    assert (made.status_code, made.json["scopes"], made.json["user_id"]) == (201, ["read_user"], user.id)
    assert api.get("/user", token=made.json["token"]).json["username"] == "guest"
    assert api.get("/projects", token=made.json["token"]).status_code == 403
    assert api.post(address, json={"name": "bot", "scopes": ["read_api"]}).status_code == 403
    wrong = api.post(address, token=admin, json={"name": "bot", "scopes": ["everything"]})
    assert (wrong.status_code, list(wrong.json["message"])) == (400, ["scopes"])
    nobody = api.post("/users/999/personal_access_tokens", token=admin, json={"name": "bot", "scopes": ["api"]})
    assert nobody.json == {"message": "404 User Not Found"}


def test_administrators_make_change_block_and_remove_accounts(api: Api, place: Place) -> None:
    api.token = place.tokens["admin"]
    given = {"username": "eve", "name": "Eve", "email": "eve@example.com", "password": "long enough"}
    made = api.post("/users", json=given)
    assert (made.status_code, made.json["username"], made.json["email"]) == (201, "eve", "eve@example.com")
    user_id = made.json["id"]
    assert user_by_password(place.core, "eve", "long enough") is not None
    changed = api.put(f"/users/{user_id}", json={"username": "eva", "admin": True, "password": "longer still"}).json
    assert (changed["username"], changed["is_admin"]) == ("eva", True)
    assert user_by_password(place.core, "eva", "longer still") is not None
    token = place.token(place.core.session.get_one(User, user_id))
    for verb, status, state in (("block", 401, "blocked"), ("unblock", 200, "active")):
        answer = api.post(f"/users/{user_id}/{verb}")
        assert (answer.status_code, answer.json) == (201, True)
        assert api.get("/user", token=token).status_code == status
        assert api.get(f"/users/{user_id}").json["state"] == state
    assert api.delete(f"/users/{user_id}").status_code == 204
    assert api.get("/user", token=token).status_code == 401


def test_what_no_account_may_be(api: Api, place: Place) -> None:
    api.token, me = place.tokens["admin"], place.users["admin"].id
    given = {"username": "eve", "name": "Eve", "email": "eve@example.com"}
    assert api.post("/users", json={"username": "eve"}).json == {"error": "email is missing, name is missing"}
    assert api.post("/users", json=given).status_code == 400
    for wrong in ({"username": "owner"}, {"username": "a/b"}, {"email": "nowhere"}, {"password": "short"}):
        refused = api.post("/users", json=given | {"reset_password": True} | wrong)
        assert (refused.status_code, list(refused.json["message"])) == (400, list(wrong))
    other = place.users["guest"].id
    for wrong in ({"username": "OWNER"}, {"email": "nowhere"}, {"name": " "}):
        assert api.put(f"/users/{other}", json=wrong).status_code == 400
    assert api.put(f"/users/{me}", json={"admin": False}).status_code == 409
    assert api.delete(f"/users/{me}").status_code == 409
    assert api.delete(f"/users/{place.users['owner'].id}").status_code == 409, "the only owner of acme"
    assert api.put("/users/999", json={"name": "N"}).status_code == api.delete("/users/999").status_code == 404


def test_users_are_found_by_what_they_are(api: Api, place: Place) -> None:
    place.set(place.users["guest"], blocked=True)
    api.post("/projects/1/access_tokens", json={"name": "robot", "scopes": ["api"], "access_level": 10})

    def names(query: str) -> list[str]:
        return [row["name"] for row in api.get(f"/users?{query}").json]

    assert names("blocked=true") == ["guest"]
    assert "guest" not in names("active=true")
    assert names("admins=true") == ["admin"]
    assert "robot" in names("")
    assert "robot" not in names("humans=true") + names("without_project_bots=true")
    assert names("humans=true&order_by=username&sort=asc")[:3] == ["admin", "developer", "guest"]


def test_an_administrator_acts_as_another_user_and_both_are_written_down(api: Api, place: Place) -> None:
    admin, guest, developer = (place.users[name] for name in ("admin", "guest", "developer"))
    made = api.post(
        f"/users/{admin.id}/personal_access_tokens",
        token=place.token(admin, scopes=["api"]),
        json={"name": "deputy", "scopes": ["api", "sudo"]},
    )
    assert made.status_code == 201
    token, weak = made.json["token"], place.token(admin, scopes=["api"])
    for name in ("developer", "DEVELOPER", str(developer.id)):
        assert api.get("/user", token=token, headers={"Sudo": name}).json["username"] == "developer"
    assert api.get(f"/user?sudo={developer.id}", token=token).json["username"] == "developer"
    assert api.get("/user", token=token).json["username"] == "admin"
    refused = {
        "nobody": (404, {"message": "404 User with ID or username 'nobody' Not Found"}),
        "9" * 30: (404, {"message": f"404 User with ID or username '{'9' * 30}' Not Found"}),
    }
    for name, expected in refused.items():
        answer = api.get("/user", token=token, headers={"Sudo": name})
        assert (answer.status_code, answer.json) == expected
    answer = api.get("/user", token=weak, headers={"Sudo": "guest"})
    assert (answer.status_code, answer.json["error"], answer.json["scope"]) == (403, "insufficient_scope", "sudo")
    answer = api.get("/user", token=place.token(developer, scopes=["api", "sudo"]), headers={"Sudo": "admin"})
    assert (answer.status_code, answer.json) == (403, {"message": "403 Forbidden - Must be admin to use sudo"})
    assert api.get("/user", token=None, headers={"Sudo": "guest"}).status_code == 401
    as_guest = {"Sudo": str(guest.id)}
    assert api.delete("/projects/1", token=token, headers=as_guest).status_code == 403, "no rights of their own"
    named = {"name": "mine", "path": "mine"}
    assert api.post("/groups", token=token, headers=as_guest, json=named).status_code == 201
    row = place.core.session.query(AuditEvent).filter_by(action="group.created", target="mine").one()
    assert (row.actor, row.way) == ("guest", "sudo by admin, token deputy")
    place.set(guest, blocked=True)
    assert api.get("/user", token=token, headers=as_guest).status_code == 403


def test_only_administrators_have_tokens_that_act_as_others(place: Place) -> None:
    with pytest.raises(InvalidRequest, match="there is no scope 'sudo'"):
        create_token(place.core, user=place.users["owner"], name="a", scopes=["api", "sudo"])
