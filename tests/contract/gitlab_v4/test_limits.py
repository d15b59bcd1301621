"""How often, how much at once, how far: what the API does not do for anyone."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.api.gitlab_v4 import rate_limits
from tests.support.gitlab import Api
from tests.support.place import Place


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"rate_limit_user": 4, "rate_limit_address": 2}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time that requests are counted in; it is ten seconds into a minute."""
    start = 1_700_000_040 // 60 * 60 + 10

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(rate_limits.time, "time", lambda: start + seconds)

    set_to(0)
    return set_to


def test_each_user_has_so_many_requests_a_minute(api: Api, place: Place, clock: Callable[[float], None]) -> None:
    answers = [api.get("/version") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    first, last = answers[0].headers, answers[-1].headers
    shown = ("Limit", "Observed", "Remaining", "Name")
    assert [first[f"RateLimit-{name}"] for name in shown] == ["4", "1", "3", "throttle_authenticated_api"]
    assert [last[f"RateLimit-{name}"] for name in shown] == ["4", "5", "0", "throttle_authenticated_api"]
    assert first["RateLimit-Reset"] == last["RateLimit-Reset"] == str(1_700_000_040 // 60 * 60 + 60)
    assert first["RateLimit-ResetTime"].endswith(" GMT")
    assert last["Retry-After"] == "50"
    assert answers[-1].json == {
        "message": {"error": "This endpoint has been requested too many times. Try again later."}
    }
    assert api.get("/version", token=place.token(place.users["maintainer"])).status_code == 429  # not of the token
    assert api.get("/version", token=place.tokens["guest"]).status_code == 200
    clock(50)
    assert api.get("/version").headers["RateLimit-Observed"] == "1"


def test_who_is_not_let_in_counts_by_address(client: FlaskClient, api: Api, clock: Callable[[float], None]) -> None:
    guesses = [api.get("/version", token=f"glpat-guess{number}").status_code for number in range(3)]
    assert guesses == [401, 401, 429]
    assert api.get("/projects", token=None).status_code == 429
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    broken = client.post("/api/v4/projects", data="{", content_type="application/json", environ_base=elsewhere)
    assert (broken.status_code, broken.headers["RateLimit-Observed"]) == (400, "1")
    assert api.get("/projects", token=None, environ_base=elsewhere).headers["RateLimit-Remaining"] == "0"
    assert api.get("/version").headers["RateLimit-Name"] == "throttle_authenticated_api"


def test_an_ipv6_network_is_one_address(api: Api, clock: Callable[[float], None]) -> None:
    seen = [
        api.get("/projects", token=None, environ_base={"REMOTE_ADDR": address}).headers["RateLimit-Observed"]
        for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")
    ]
    assert seen == ["1", "2", "1"]


def test_a_job_has_a_limit_of_its_own(api: Api, place: Place, clock: Callable[[float], None]) -> None:
    job = place.job(status="running", user_id=place.users["maintainer"].id)
    headers = {"JOB-TOKEN": place.job_token(job)}
    assert [api.get("/job", token=None, headers=headers).status_code for _ in range(5)] == [200] * 4 + [429]
    assert api.get("/version").status_code == 200


def test_where_requests_cannot_be_counted_nobody_is_turned_away(
    api: Api, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def count(self, name: str, window: int) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(rate_limits, "_counters", Broken)
    answers = [api.get("/version") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[-1].headers


def test_counting_asks_nothing_of_the_database(
    api: Api, queries: Callable[[Callable[[], Any]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.get("/version")  # the first use of a token is written down
    counted = queries(lambda: api.get("/version"))
    monkeypatch.setattr(rate_limits, "count", lambda caller: None)
    assert queries(lambda: api.get("/version")) == counted


class TestAnyNumber:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"rate_limit_user": 0, "rate_limit_address": 0}

    def test_no_limit_has_no_headers(self, api: Api, place: Place) -> None:
        answer = api.get("/version")
        assert answer.status_code == 200
        assert not [name for name, _ in answer.headers if name.startswith("RateLimit")]
        assert not (place.core.config.data_dir / "rate-limits").exists()

    @pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_a_body_that_is_too_large_is_413_in_any_form(self, api: Api, place: Place, kind: str) -> None:
        body = b"a=" + b"x" * place.core.config.body_limit
        content_type = f"{kind}; boundary=x" if "multipart" in kind else kind
        answer = api.post("/projects", data=body, content_type=content_type)
        assert (answer.status_code, answer.json) == (413, {"message": "413 Request Entity Too Large"})

    def test_pages_have_an_end(self, api: Api) -> None:
        assert api.get("/projects?per_page=101").headers["X-Per-Page"] == "100"
        assert api.get("/projects?pagination=keyset&order_by=id&per_page=101").status_code == 200
        for query in ("per_page=0", "page=9007199254740993", "pagination=keyset&cursor=%21"):
            path = f"/projects?{query}" + ("&order_by=id" if "keyset" in query else "")
            assert api.get(path).status_code == 400, query
        assert api.get("/projects/1/repository/commits?page=200000&per_page=100").status_code == 400
