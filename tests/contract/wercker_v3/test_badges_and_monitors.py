"""Badges and cctray at Wercker's old addresses."""

from base64 import b64encode
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from tests.databases import BOTH
from tests.factories import PASSWORD, make_member, make_pipeline, make_user
from tests.support.place import Place
from tests.support.wercker import Api, Ids

SVG = "{http://www.w3.org/2000/svg}"


def words(client: FlaskClient, address: str) -> list[str]:
    response = client.get(address)
    assert (response.status_code, response.content_type) == (200, "image/svg+xml; charset=utf-8")
    return [text.text or "" for text in ElementTree.fromstring(response.data).iter(f"{SVG}text")]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_badge_tells_the_last_run_of_a_branch_that_has_finished(client: FlaskClient, place: Place) -> None:
    """Without anybody signed in, though the project is private."""
    badge = f"/status/{place.project.badge_key}"
    assert words(client, f"{badge}/s") == ["build", "unknown"]
    place.set(place.pipeline, status="success")
    make_pipeline(place.core, place.project, status="running")
    make_pipeline(place.core, place.project, status="skipped")
    make_pipeline(place.core, place.project, status="failed", ref="dev/x")
    make_pipeline(place.core, place.project, status="canceled", ref="main", tag=True)
    for size in ("s", "m", "s/", "m/main"):
        assert words(client, f"{badge}/{size}") == ["build", "passing"]
    assert words(client, f"{badge}/m/dev/x") == ["build", "failed"]
    assert words(client, f"{badge}/m/none") == ["build", "unknown"]
    make_pipeline(place.core, place.project, status="canceled")
    assert words(client, f"{badge}/s/main") == ["build", "aborted"]


def test_a_badge_is_asked_for_anew_but_sent_only_when_it_changed(client: FlaskClient, place: Place) -> None:
    first = client.get(f"/status/{place.project.badge_key}/s")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/status/{place.project.badge_key}/s", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    place.set(place.pipeline, status="failed")
    changed = client.get(f"/status/{place.project.badge_key}/s", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_badges_that_are_not_there(client: FlaskClient, place: Place) -> None:
    key = place.project.badge_key
    for address in (f"/status/{key}/l", f"/status/{'0' * 32}/s", "/status/x/s", f"/status/{key}", "/project/bykey/x"):
        assert client.get(address).status_code == 404


def test_the_key_leads_to_the_applications_page(client: FlaskClient, place: Place) -> None:
    for spelling in ("bykey", "byKey"):
        response = client.get(f"/project/{spelling}/{place.project.badge_key}")
        assert response.status_code == 302
        assert response.location.endswith("/acme/rocket")


def test_every_project_has_a_key_of_its_own(api: Api, place: Place) -> None:
    from tests.factories import make_project

    other = make_project(place.core)
    assert len({place.project.badge_key, other.badge_key}) == 2
    assert api.get("/applications/acme/rocket").json["badgeKey"] == place.project.badge_key


def monitor(api: Api, address: str, **given: object) -> dict[str, str]:
    response = api.get(f"/api/v2/applications/{address}", **given)
    assert (response.status_code, response.content_type) == (200, "text/xml; charset=utf-8")
    root = ElementTree.fromstring(response.data)
    assert root.tag == "Projects"
    (project,) = root
    return project.attrib


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_cctray(api: Api, place: Place, ids: Ids) -> None:
    address = f"{ids.application}/cc/build"
    ended = datetime(2016, 7, 4, 10, 6, 47, tzinfo=UTC)
    place.set(place.pipeline, status="running")
    found = monitor(api, address)
    assert found.pop("webUrl").endswith("/acme/rocket")
    assert found == {"name": "acme/rocket (build)", "activity": "Building", "lastBuildStatus": "Unknown"}
    place.set(place.pipeline, status="success", finished_at=ended)
    assert monitor(api, address) | {"webUrl": ""} == {
        "name": "acme/rocket (build)",
        "activity": "Sleeping",
        "lastBuildStatus": "Success",
        "lastBuildLabel": "1",
        "lastBuildTime": "2016-07-04T10:06:47Z",
        "webUrl": "",
    }
    latest = make_pipeline(place.core, place.project, status="pending")
    found = monitor(api, address)
    assert (found["activity"], found["lastBuildStatus"]) == ("Building", "Success")
    for ours, activity, last in (
        ("failed", "Sleeping", "Failure"),
        ("canceled", "Sleeping", "Exception"),
        ("canceling", "Building", "Success"),
        ("manual", "Sleeping", "Success"),
        ("skipped", "Sleeping", "Success"),
    ):
        place.set(latest, status=ours)
        found = monitor(api, address)
        assert (ours, found["activity"], found["lastBuildStatus"]) == (ours, activity, last)


def test_cctray_of_another_pipeline(api: Api, place: Place, ids: Ids) -> None:
    api.post("/pipelines", json={"application": ids.application, "name": "to prod"})
    assert monitor(api, f"{ids.application}/cc/deploytargets/to%20prod")["name"] == "acme/rocket (to prod)"
    assert api.get(f"/api/v2/applications/{ids.application}/cc/deploytargets/none").status_code == 404


def test_monitors_sign_in_with_a_password_or_a_token(api: Api, place: Place, ids: Ids) -> None:
    def header(password: str) -> dict[str, str]:
        return {"Authorization": "Basic " + b64encode(f"watcher:{password}".encode()).decode()}

    user = make_user(place.core, "watcher")
    make_member(place.core, user, place.project)
    address = f"/api/v2/applications/{ids.application}/cc/build"
    statuses = [
        api.get(address, token=None, headers=header(password)).status_code
        for password in (PASSWORD, place.token(user), "wrong", "glpat-wrong", "")
    ]
    assert statuses == [200, 200, 401, 401, 401]
    assert api.get(address, token=None).status_code == 404
