"""Pages of other sites: none may call this API with its visitors' cookies, but those that the operator names."""

import pytest

from tests.contract.candor.conftest import Site

SITE, EVIL = "https://candor.example.org", "https://evil.example"
PATHS = ["/me", "/login", "/logout", "/api/pipelines", "/api/pipelines/{id}", "/api/pipelines/{id}/config",
         "/api/runs/{id}/last/log", "/trigger/x"]  # fmt: skip
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def open_site(site: Site) -> Site:
    object.__setattr__(site.core.config, "allowed_origins", (SITE,))
    return site


def preflight(site: Site, path: str, origin: str):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return site.client().options(path.format(id=site.id), headers=headers)


@pytest.mark.parametrize("path", PATHS)
def test_nobody_may_by_default(site: Site, path: str) -> None:
    for answer in (
        preflight(site, path, SITE),
        site.client("demouser").get(path.format(id=site.id), headers={"Origin": SITE}),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_that_asks_first_is_told_what_an_allowed_site_may_send(open_site: Site, path: str) -> None:
    answer = preflight(open_site, path, SITE)
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers[ALLOW] == SITE
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert "Origin" in answer.headers["Vary"]
    assert ALLOW not in preflight(open_site, path, EVIL).headers


def test_an_allowed_site_signs_in_reads_and_writes_with_the_cookie(open_site: Site) -> None:
    client, headers = open_site.client("demouser"), {"Origin": SITE}
    for answer in (
        client.get("/me", headers=headers),
        client.get("/api/pipelines/999", headers=headers),
        client.post(f"/api/pipelines/{open_site.id}/config", json={"stages": []}, headers=headers),
        client.post("/logout", headers=headers),
        client.post("/login", json={}, headers=headers),
    ):
        assert answer.headers[ALLOW] == SITE
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.status_code == 400


@pytest.mark.parametrize("origin", [EVIL, "null", f"{SITE}.evil.example", f"{SITE}:8443", "http://candor.example.org"])
def test_all_other_sites_stay_out(open_site: Site, origin: str) -> None:
    client = open_site.client("demouser")
    answer = client.get("/me", headers={"Origin": origin})
    assert ALLOW not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    assert client.post("/logout", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/v4/user", "/api/v3/tokens", "/ci/rocket"])
def test_the_pages_and_the_other_apis_stay_closed(open_site: Site, path: str) -> None:
    assert ALLOW not in open_site.client("demouser").get(path, headers={"Origin": SITE}).headers
    assert ALLOW not in preflight(open_site, path, SITE).headers
