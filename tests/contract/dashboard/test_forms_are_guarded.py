"""Every change is a POST with the token of the session, and every page forbids what pages need not do."""

import re

import pytest


def _post_paths(app) -> list[str]:
    values = {
        "path": "skerry/hello",
        "pipeline_id": 1,
        "job_id": 1,
        "variable_id": 1,
        "membership_id": 1,
        "runner_id": 1,
        "environment_id": 1,
    }
    values |= {
        "token_id": 1,
        "user_id": 1,
        "schedule_id": 1,
        "rule_id": 1,
        "archived": True,
        "trigger_id": 1,
        "session_id": 1,
    }
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("pages.") and "POST" in rule.methods:
            verb = re.search(r"any\((\w+)", rule.rule)
            build = {name: values[name] for name in rule.arguments if name != "verb"}
            if verb:
                build["verb"] = verb[1]
            found.append(rule.build(build)[1])
    return found


def test_no_form_is_taken_without_its_token(site):
    admin = site.visitor("admin")
    paths = _post_paths(site.app)
    assert len(paths) >= 20
    assert {path: admin.client.post(path, data={}).status_code for path in paths} == dict.fromkeys(paths, 400)
    assert {path: admin.client.post(path, data={"csrf_token": "x"}).status_code for path in paths} == dict.fromkeys(
        paths, 400
    )


def test_nothing_changes_by_a_get(site):
    admin = site.visitor("admin")
    for path in ("jobs/1/cancel", "jobs/1/erase", "pipelines/1/cancel"):
        assert admin.get(f"/skerry/hello/-/{path}").status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/-/sign_in", "/skerry/hello/-/jobs/1", "/skerry/hello/-/pipelines/1", "/nothing/here", "/-/nothing"]
)
def test_pages_forbid_inline_script_frames_and_sniffing(site, path):
    headers = site.visitor("admin").get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "no-cache" in headers["Cache-Control"]


def test_pages_hold_no_inline_script_style_or_handler(site):
    admin = site.visitor("admin")
    for path in ("/", "/skerry/hello", "/skerry/hello/-/pipelines/1", "/skerry/hello/-/jobs/1", "/-/admin/runners"):
        page = admin.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"<[a-z][^>]*\s(?:style|on[a-z]+)=", page)


def test_unknown_api_addresses_do_not_answer_with_a_page(site):
    assert "<html" not in site.visitor("admin").get("/api/v4/nothing").text
