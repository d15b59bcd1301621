"""Pages of lists, by number and by key (gitlab.md B.0)."""

import re

import pytest

from app.api.gitlab_v4 import pagination
from tests.support.gitlab import Api
from tests.support.place import Place

TOTALS = {"X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page", "X-Total", "X-Total-Pages"}


def links(response) -> dict[str, str]:
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers.get("Link", ""))
    return {rel: url for url, rel in found}


def pages(response) -> dict[str, str]:
    return {name: response.headers[name] for name in TOTALS if name in response.headers}


@pytest.fixture
def five(place: Place) -> list[int]:
    """The ids of five jobs, newest first."""
    return [place.job().id for _ in range(5)][::-1]


def test_a_page_in_the_middle(api: Api, five: list[int]) -> None:
    response = api.get("/projects/1/pipelines/1/jobs?page=2&per_page=2&scope[]=pending")
    assert [row["id"] for row in response.json] == five[2:4]
    assert pages(response) == {
        "X-Page": "2",
        "X-Per-Page": "2",
        "X-Next-Page": "3",
        "X-Prev-Page": "1",
        "X-Total": "5",
        "X-Total-Pages": "3",
    }
    assert list(links(response)) == ["prev", "next", "first", "last"]
    base = "http://127.0.0.1:8000/api/v4/projects/1/pipelines/1/jobs?id=1&pipeline_id=1&scope%5B%5D=pending"
    assert links(response)["next"] == f"{base}&page=3&per_page=2"
    assert links(response)["last"] == f"{base}&page=3&per_page=2"


def test_the_last_page_and_the_first(api: Api, five: list[int]) -> None:
    last = api.get("/projects/1/pipelines/1/jobs?page=3&per_page=2")
    assert [row["id"] for row in last.json] == five[4:]
    assert (last.headers["X-Next-Page"], last.headers["X-Prev-Page"]) == ("", "2")
    assert list(links(last)) == ["prev", "first", "last"]
    first = api.get("/projects/1/pipelines/1/jobs?per_page=2")
    assert (first.headers["X-Next-Page"], first.headers["X-Prev-Page"]) == ("2", "")
    assert list(links(first)) == ["next", "first", "last"]


def test_a_page_behind_the_last_is_empty(api: Api, five: list[int]) -> None:
    response = api.get("/projects/1/pipelines/1/jobs?page=9&per_page=2")
    assert response.json == []
    assert response.headers["X-Next-Page"] == ""


def test_an_empty_list_has_one_page(api: Api) -> None:
    response = api.get("/projects/1/variables")
    assert (response.headers["X-Total"], response.headers["X-Total-Pages"]) == ("0", "1")


def test_a_page_has_at_most_a_hundred_rows(api: Api) -> None:
    assert api.get("/projects?per_page=1000").headers["X-Per-Page"] == "100"
    assert api.get("/projects").headers["X-Per-Page"] == "20"


def test_a_projects_jobs_are_not_counted(api: Api, five: list[int]) -> None:
    response = api.get("/projects/1/jobs?per_page=2")
    assert set(pages(response)) == TOTALS - {"X-Total", "X-Total-Pages"}
    assert list(links(response)) == ["next", "first"]


def test_beyond_a_bound_nothing_is_counted(api: Api, five: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "MAX_COUNTED", 5)
    assert api.get("/projects/1/pipelines/1/jobs?per_page=2").headers["X-Total"] == "5"
    monkeypatch.setattr(pagination, "MAX_COUNTED", 4)
    response = api.get("/projects/1/pipelines/1/jobs?per_page=2")
    assert set(pages(response)) == TOTALS - {"X-Total", "X-Total-Pages"}
    assert "last" not in links(response)


def test_following_next_visits_every_row_once(api: Api, five: list[int]) -> None:
    for start in ("/projects/acme%2Frocket/jobs?per_page=2", "/projects/1/jobs?per_page=2&pagination=keyset"):
        seen, path = [], start
        while path:
            response = api.get(path)
            seen += [row["id"] for row in response.json]
            path = links(response).get("next", "").removeprefix("http://127.0.0.1:8000/api/v4")
        assert seen == five


def test_links_repeat_what_was_asked_but_no_token(api: Api, place: Place) -> None:
    token = place.tokens["maintainer"]
    response = api.get(f"/projects?private_token={token}&search=rock&per_page=1", token=None)
    assert response.status_code == 200
    assert "search=rock" in response.headers["Link"]
    assert token not in response.headers["Link"]


def test_pages_by_key_have_only_a_link(api: Api, five: list[int]) -> None:
    response = api.get("/projects/1/jobs?pagination=keyset&per_page=3")
    assert pages(response) == {}
    assert list(links(response)) == ["next"]
    assert response.headers["X-NEXT-CURSOR"] in links(response)["next"]
    last = api.get(links(response)["next"].removeprefix("http://127.0.0.1:8000/api/v4"))
    assert [row["id"] for row in last.json] == five[3:]
    assert "Link" not in last.headers


@pytest.mark.parametrize(("sort", "expected"), [("asc", ["a", "b", "c"]), ("desc", ["c", "b", "a"])])
def test_projects_by_key_in_both_orders(api: Api, place: Place, sort: str, expected: list[str]) -> None:
    for name in ("a", "b", "c"):
        api.post("/projects", json={"path": name, "name": name})
    path, seen = f"/projects?pagination=keyset&order_by=id&sort={sort}&per_page=2&id_after=1", []
    while path:
        response = api.get(path)
        seen += [row["path"] for row in response.json]
        path = links(response).get("next", "").removeprefix("http://127.0.0.1:8000/api/v4")
    assert seen == expected


@pytest.mark.parametrize("path", ["/projects?order_by=name", "/projects/1/jobs?order_by=id&sort=asc"])
def test_an_order_without_a_key_is_refused(api: Api, path: str) -> None:
    response = api.get(f"{path}&pagination=keyset")
    assert response.status_code == 405
    assert response.json == {"error": "Keyset pagination is not yet available for this type of request"}


@pytest.mark.parametrize("cursor", ["x", "e30", "eyJpZCI6IDF9eyJ", "W10"])
def test_a_cursor_that_is_none_is_refused(api: Api, cursor: str) -> None:
    response = api.get(f"/projects/1/jobs?pagination=keyset&cursor={cursor}")
    assert (response.status_code, response.json) == (400, {"error": "cursor is invalid"})
