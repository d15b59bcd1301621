"""Sign in and out (seed: GET /me, POST /login, POST /logout)."""

import pytest

from tests.contract.candor.conftest import Site
from tests.factories import PASSWORD


def test_me_is_the_user_of_the_session(site: Site) -> None:
    client = site.client("demouser")
    answer = client.get("/me")
    assert (answer.status_code, set(answer.json)) == (200, {"id", "name"})
    assert isinstance(answer.json["id"], int)
    assert answer.json["name"] == "demouser"


def test_nobody_is_401(site: Site) -> None:
    answer = site.client().get("/me")
    assert (answer.status_code, answer.text, answer.mimetype) == (401, "Unauthorized", "text/plain")


@pytest.mark.parametrize(
    "body", [{}, {"username": "demouser"}, {"password": PASSWORD}, {"username": "", "password": PASSWORD}, [],
             {"username": 1, "password": 2}]
)  # fmt: skip
def test_missing_credentials_are_400(site: Site, body: object) -> None:
    assert site.client().post("/login", json=body).status_code == 400


@pytest.mark.parametrize(("name", "password"), [("demouser", "wrong one"), ("nobody", PASSWORD)])
def test_wrong_credentials_are_401(site: Site, name: str, password: str) -> None:
    answer = site.client().post("/login", json={"username": name, "password": password})
    assert (answer.status_code, answer.text) == (401, "Unauthorized")
    assert "Set-Cookie" not in answer.headers


def test_who_is_signed_in_may_send_anything(site: Site) -> None:
    assert site.client("demouser").post("/login", json={}).status_code == 200


def test_logging_out_ends_the_session_and_is_always_200(site: Site) -> None:
    client = site.client("demouser")
    assert client.post("/logout").status_code == 200
    assert client.get("/me").status_code == 401
    assert client.post("/logout").text == "OK"


def test_a_body_that_is_no_json_is_400(site: Site) -> None:
    client = site.client()
    assert client.post("/login", data="{", content_type="application/json").status_code == 400
    form = {"username": "demouser", "password": PASSWORD}
    assert client.post("/login", data=form).status_code == 400


@pytest.mark.parametrize("path", ["/login", "/logout", "/api/pipelines/1/config"])
def test_another_site_cannot_write_with_a_visitors_cookie(site: Site, path: str) -> None:
    client = site.client("demouser")
    answer = client.post(path, json={"stages": []}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.get("/me").status_code == 200
    text = client.post(path, data='{"stages": []}', content_type="text/plain")
    assert text.status_code == 400


def test_our_own_pages_may_write(site: Site) -> None:
    client = site.client("demouser")
    assert client.post("/logout", headers={"Origin": "http://localhost"}).status_code == 200


def test_guessing_is_slowed_down(site: Site) -> None:
    client = site.client()
    for _ in range(30):
        answer = client.post("/login", json={"username": "demouser", "password": "wrong"})
        if answer.status_code == 429:
            break
    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (429, True)
