"""Who gets to see which page."""

import pytest

from tests.factories import make_project

PEOPLE = (None, "stranger", "guest", "reporter", "developer", "maintainer", "admin")

# A private project: status by visitor, in the order of PEOPLE. 302 asks to sign in.
PRIVATE = {
    "/skerry/hello": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/pipelines": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/pipelines/1": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/jobs": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/jobs/1": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/jobs/1/raw": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/jobs/1/log_index": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/jobs/1/log_search?q=a": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/search/suggestions": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/project_members": (302, 404, 200, 200, 200, 200, 200),
    "/skerry/hello/-/pipeline_schedules": (302, 404, 403, 200, 200, 200, 200),
    "/skerry/hello/-/pipeline_schedules/new": (302, 404, 403, 403, 200, 200, 200),
    "/skerry/hello/-/ci/lint": (302, 404, 403, 403, 200, 200, 200),
    "/skerry/hello/-/settings/ci_cd": (302, 404, 403, 403, 403, 200, 200),
    "/skerry/hello/-/settings": (302, 404, 403, 403, 403, 200, 200),
    "/skerry/hello/-/settings/protected_refs": (302, 404, 403, 403, 403, 200, 200),
    "/skerry/hello/-/settings/triggers": (302, 404, 403, 403, 403, 200, 200),
    "/skerry/hello/-/settings/badges": (302, 404, 403, 403, 403, 200, 200),
    "/skerry/hello/-/audit": (302, 404, 403, 403, 403, 200, 200),
    "/skerry/hello/-/runners": (302, 404, 403, 403, 403, 200, 200),
    "/nobody/nothing": (302, 404, 404, 404, 404, 404, 404),
    "/-/profile/tokens": (302, 200, 200, 200, 200, 200, 200),
    "/-/profile": (302, 200, 200, 200, 200, 200, 200),
    "/-/board": (200, 200, 200, 200, 200, 200, 200),
    "/-/palette": (200, 200, 200, 200, 200, 200, 200),
    "/-/projects/new": (302, 200, 200, 200, 200, 200, 200),
    "/-/admin/runners": (302, 404, 404, 404, 404, 404, 200),
    "/-/admin/variables": (302, 404, 404, 404, 404, 404, 200),
    "/-/groups/skerry/-/settings": (302, 404, 403, 403, 403, 403, 200),
    "/-/groups/skerry/-/members": (302, 404, 403, 403, 403, 403, 200),
    "/-/groups/skerry/-/settings/ci_cd": (302, 404, 403, 403, 403, 403, 200),
    "/-/groups/skerry/-/audit": (302, 404, 403, 403, 403, 403, 200),
    "/-/groups/skerry/-/runners": (302, 404, 403, 403, 403, 403, 200),
    "/-/groups/new": (302, 200, 200, 200, 200, 200, 200),
    "/-/admin/users": (302, 404, 404, 404, 404, 404, 200),
    "/-/jobs": (302, 200, 200, 200, 200, 200, 200),
    "/-/profile/sessions": (302, 200, 200, 200, 200, 200, 200),
    "/-/pipelines": (302, 200, 200, 200, 200, 200, 200),
    "/-/admin/audit": (302, 404, 404, 404, 404, 404, 200),
    "/-/admin/queue": (302, 404, 404, 404, 404, 404, 200),
    "/-/admin/storage": (302, 404, 404, 404, 404, 404, 200),
    "/": (302, 200, 200, 200, 200, 200, 200),
}


@pytest.mark.parametrize("name", PEOPLE)
def test_each_page_is_shown_to_those_who_may_see_it_and_to_nobody_else(site, name):
    visitor = site.visitor(name)
    position = PEOPLE.index(name)
    seen = {path: visitor.get(path).status_code for path in PRIVATE}
    assert seen == {path: statuses[position] for path, statuses in PRIVATE.items()}


def test_an_anonymous_visitor_learns_nothing_from_the_answer_for_a_private_project(site):
    visitor = site.visitor()
    there, not_there = visitor.get("/skerry/hello"), visitor.get("/skerry/other")
    assert there.status_code == not_there.status_code == 302
    assert there.location.replace("hello", "other") == not_there.location


def test_a_public_project_is_shown_to_everyone_with_its_jobs_but_not_its_settings(site, core):
    site.project.visibility = "public"
    core.session.commit()
    visitor = site.visitor()
    assert visitor.get("/skerry/hello/-/jobs/1").status_code == 200
    assert visitor.get("/").status_code == 200
    assert visitor.get("/skerry/hello/-/settings/ci_cd").status_code == 302


def test_jobs_of_another_project_are_not_found_below_this_one(site, core):
    make_project(core, "other/project")
    admin = site.visitor("admin")
    for rest in ("jobs/1", "jobs/1/raw", "pipelines/1", "jobs/1/log_index", "jobs/1/log_search", "jobs/1/events"):
        assert admin.get(f"/other/project/-/{rest}").status_code == 404


def test_a_group_has_a_page_that_lists_its_projects(site):
    assert "skerry/hello" in site.visitor("guest").get("/skerry").text
    assert site.visitor("stranger").get("/skerry").status_code == 404


def test_a_debug_log_is_shown_to_developers_only(site, core):
    site.job.plan = {**site.job.plan, "variables": [{"key": "CI_DEBUG_TRACE", "value": "true"}]}
    core.session.commit()
    assert site.visitor("reporter").get("/skerry/hello/-/jobs/1/raw").status_code == 403
    assert "does not show this log" in site.visitor("reporter").get("/skerry/hello/-/jobs/1").text
    assert site.visitor("developer").get("/skerry/hello/-/jobs/1/raw").status_code == 200


def test_numbers_and_characters_that_no_database_takes_are_refused(site):
    admin, huge = site.visitor("admin"), "9" * 30
    for path in (
        f"/skerry/hello/-/jobs/{huge}",
        f"/skerry/hello/-/pipelines/{2**63}",
        f"/-/admin/runners/{huge}/pause",
    ):
        assert admin.get(path).status_code in (404, 405)
    for path in ("/?search=%00", "/skerry/hello/-/pipelines?ref=%00", "/skerry/he%00llo", "/?after=%00"):
        assert admin.get(path).status_code in (400, 404)
    assert admin.post("/-/projects/new", {"full_path": "a/b\0c"}).status_code == 400
    repeated = {"key": ["A", "B"], "value": ["fine", "\0"]}
    assert admin.post("/skerry/hello/-/jobs/1/retry", repeated).status_code == 400, "each of several values counts"
    assert site.visitor().sign_in("ad\0min").status_code == 400
