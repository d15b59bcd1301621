"""A project's settings: general, mirror, protected refs, triggers, badges, audit log, and the end of it."""

import re

from app.models import AuditEvent, Pipeline, PipelineTrigger, Project, ProtectedRef
from app.services.repositories.request_fetch import fetch_next_mirror
from tests.factories import make_project, make_runner

GENERAL = "/skerry/hello/-/settings"
PROTECTED = f"{GENERAL}/protected_refs"
TRIGGERS = f"{GENERAL}/triggers"
PIPELINES = {"default_branch": "main", "config_path": ".gitlab-ci.yml", "build_timeout": "60", "git_depth": "20"}


def _project(core, path="skerry/hello"):
    core.session.rollback()
    return core.session.query(Project).filter_by(full_path=path).one()


def test_maintainers_change_how_pipelines_run(site, core):
    maintainer = site.visitor("maintainer")
    box = 'name="auto_cancel_pending_pipelines" type="checkbox" value="1" checked'
    assert box in maintainer.get(GENERAL).text
    form = {"default_branch": "trunk", "config_path": "ci/all.yml", "build_timeout": "120", "git_depth": "0"}
    form |= {"git_strategy": "clone", "variables_role": "maintainer", "public_jobs": "1"}
    assert maintainer.post(f"{GENERAL}/pipelines", form).status_code == 303
    assert box not in maintainer.get(GENERAL).text
    row = _project(core)
    assert (row.default_branch, row.config_path, row.build_timeout, row.git_depth) == ("trunk", "ci/all.yml", 7200, 0)
    assert (row.git_strategy, row.variables_role) == ("clone", "maintainer")
    assert (row.auto_cancel_pending_pipelines, row.public_jobs, row.instance_runners) == (False, True, False)
    wrong = [
        ({"build_timeout": "1"}, "build_timeout"),
        ({"build_timeout": "soon"}, "build_timeout"),
        ({"git_depth": "9999"}, "git_depth"),
        ({"config_path": "../x"}, "config_path"),
        ({"default_branch": "a..b"}, "default_branch"),
        ({"default_branch": "a/" * 130 + "b"}, "default_branch"),
        ({"git_strategy": "copy"}, "git_strategy"),
    ]
    for changed, field in wrong:
        page = maintainer.post(f"{GENERAL}/pipelines", PIPELINES | changed)
        assert (page.status_code, f'id="h-{field}">' in page.text) == (422, True), field
        assert "aria-invalid" in page.text
        assert str(changed.get("build_timeout", "60")) in page.text, "what was typed is still there"
    assert site.visitor("developer").post(f"{GENERAL}/pipelines", PIPELINES).status_code == 403


def test_only_owners_change_who_sees_a_project_and_where_it_is(site, core, user_of):
    maintainer, owner = site.visitor("maintainer"), site.visitor("owner")
    assert 'name="visibility"' not in maintainer.get(GENERAL).text
    assert maintainer.post(GENERAL, {"name": "Hello!", "description": "A <b>"}).status_code == 303
    assert _project(core).name == "Hello!"
    assert "A &lt;b&gt;" in maintainer.get("/skerry/hello").text
    assert maintainer.post(GENERAL, {"visibility": "public"}).status_code == 403
    assert owner.post(GENERAL, {"name": " "}).status_code == 422
    assert owner.post(GENERAL, {"path": "no good", "name": "x"}).status_code == 422
    make_project(core, "skerry/taken", creator=user_of("admin"))
    assert "Has already been taken" in owner.post(GENERAL, {"path": "taken", "name": "x"}).text
    deep = make_project(core, "/".join(["g" * 255] * 3 + ["h" * 200, "x"]), creator=user_of("owner")).full_path
    assert "Is too long" in owner.post(f"/{deep}/-/settings", {"path": "y" * 100, "name": "x"}).text
    moved = owner.post(GENERAL, {"name": "Hi", "path": "hi", "visibility": "internal", "description": ""})
    assert moved.location == "/skerry/hi/-/settings"
    assert _project(core, "skerry/hi").visibility == "internal"


def test_a_project_is_archived_and_deleted_by_who_types_its_path(site, core):
    owner = site.visitor("owner")
    for verb, archived in (("archive", True), ("unarchive", False)):
        assert site.visitor("maintainer").post(f"{GENERAL}/{verb}").status_code == 403
        owner.post(f"{GENERAL}/{verb}")
        assert _project(core).archived is archived
    for typed in ("", "hello", "skerry/Hello"):
        page = owner.post(f"{GENERAL}/delete", {"confirmation": typed})
        assert (page.status_code, "Type skerry/hello, exactly so." in page.text) == (422, True)
    assert site.visitor("maintainer").post(f"{GENERAL}/delete", {"confirmation": "skerry/hello"}).status_code == 403
    assert core.session.query(Pipeline).count() == 1
    assert owner.post(f"{GENERAL}/delete", {"confirmation": "skerry/hello"}).location == "/"
    assert core.session.query(Project).count() == 0
    assert core.session.query(Pipeline).count() == 0


def test_a_mirrors_address_is_shown_without_its_credentials_and_changed(site, core):
    admin = site.visitor("admin")
    where = "http://user:hunter2@127.0.0.1:9/x.git"
    admin.post("/-/projects/new", {"full_path": "far/away", "visibility": "private", "mirror_url": where})
    page = admin.get("/far/away/-/settings").text
    assert "<code>http://127.0.0.1:9/x.git</code>" in page
    assert "with stored credentials" in page
    admin.post("/far/away/-/settings/mirror/fetch")
    asked = admin.get("/far/away/-/settings").text
    assert ("as soon as it is its turn" in asked, "The last fetch failed" in asked) == (True, False)
    assert fetch_next_mirror(core)
    failed = admin.get("/far/away/-/settings").text
    assert ("as soon as it is its turn" in failed, "The last fetch failed" in failed) == (False, True)
    assert admin.post(f"{GENERAL}/mirror/fetch").status_code == 400, "it is no mirror"
    for url, said in (("file:///etc", "URL of http"), ("http://u:hunter3@", "is a URL"), ("", "is a URL")):
        refused = admin.post("/far/away/-/settings/mirror", {"mirror_url": url})
        assert (refused.status_code, said in refused.text) == (422, True), url
        assert "hunter3" not in refused.text
    assert (
        admin.post("/far/away/-/settings/mirror", {"mirror_url": "http://u:hunter4@localhost:9/y"}).status_code == 303
    )
    pages = [
        admin.get(path).text for path in ("/far/away/-/settings", "/far/away", "/far/away/-/audit", "/-/admin/audit")
    ]
    assert "<code>http://localhost:9/y</code>" in pages[0]
    assert "hunter" not in "".join([page, failed, *pages])
    assert admin.post(f"{GENERAL}/mirror", {"mirror_url": "http://localhost/y"}).status_code == 422


def test_refs_are_protected_changed_and_let_go(site, core):
    maintainer = site.visitor("maintainer")
    form = {"name": "release/*", "kind": "branch", "push_role": "30", "allow_force_push": "1"}
    assert maintainer.post(PROTECTED, form).status_code == 303
    rule = core.session.query(ProtectedRef).filter_by(pattern="release/*").one()
    assert (rule.kind, rule.push_role, rule.allow_force_push) == ("branch", 30, True)
    assert "release/*" in maintainer.get(PROTECTED).text
    maintainer.post(f"{PROTECTED}/{rule.id}", {"push_role": "0"})
    maintainer.post(f"{PROTECTED}/{rule.id}", {"allow_force_push": "0"})
    core.session.rollback()
    assert (rule.push_role, rule.allow_force_push) == (0, False)
    wrong = (
        {"name": "", "kind": "tag", "push_role": "40"},
        {**form, "push_role": "10"},
        form,
        {**form, "kind": "note"},
    )
    for bad in wrong:
        assert maintainer.post(PROTECTED, bad).status_code == 422, bad
    other = make_project(core, "other/project")
    foreign = core.session.query(ProtectedRef).filter_by(project_id=other.id).one().id
    for rest in ("", "/remove"):
        assert maintainer.post(f"{PROTECTED}/{foreign}{rest}", {"push_role": "0"}).status_code == 404
        assert site.visitor("developer").post(f"{PROTECTED}/{rule.id}{rest}").status_code == 403
    assert maintainer.post(f"{PROTECTED}/{rule.id}/remove").status_code == 303
    assert core.session.query(ProtectedRef).filter_by(pattern="release/*").all() == []


def test_a_triggers_token_is_shown_once_with_the_command_and_revoked(site, core):
    maintainer = site.visitor("maintainer")
    page = maintainer.post(TRIGGERS, {"description": "hook <i>"})
    assert (page.status_code, page.headers["Cache-Control"]) == (201, "no-store")
    token = re.search(r"<code>(glptt-[^<]+)</code>", page.text)[1]
    assert f"--form token={token}" in page.text
    assert f"{core.config.external_url}/api/v4/projects/{site.project.id}/trigger/pipeline" in page.text
    listed = maintainer.get(TRIGGERS).text
    assert token not in listed
    assert "hook &lt;i&gt;" in listed
    assert maintainer.post(TRIGGERS, {"description": " "}).status_code == 422
    row = core.session.query(PipelineTrigger).one()
    make_project(core, "other/project")
    assert site.visitor("admin").post(f"/other/project/-/settings/triggers/{row.id}/revoke").status_code == 404
    assert maintainer.post(f"{TRIGGERS}/{row.id}/revoke").status_code == 303
    assert core.session.query(PipelineTrigger).count() == 0


def test_the_badge_page_has_the_address_of_a_badge_that_works(site, core):
    page = site.visitor("maintainer").get(f"{GENERAL}/badges?branch=feature/x%23y").text
    picture = re.search(r'<img src="(/status/[^"]+)"', page)[1]
    assert f"[![build]({core.config.external_url}{picture})]" in page
    badge = site.visitor().get(picture)
    assert (badge.status_code, badge.mimetype) == (200, "image/svg+xml")


def test_maintainers_see_the_audit_log_of_their_project_alone(site, core):
    make_project(core, "other/project")
    make_runner(core, description="shared")
    maintainer = site.visitor("maintainer")
    maintainer.post(f"{GENERAL}/ci_cd", {"key": "TOKEN", "value": "hunter2hunter2"})
    maintainer.post("/skerry/hello/-/project_members", {"username": "stranger", "role": "30"})
    page = maintainer.get("/skerry/hello/-/audit").text
    assert "added the variable <strong>TOKEN</strong>" in page
    assert "role: nothing → developer" in page
    assert "hunter2" not in page
    assert "shared" not in page
    assert "other/project" not in page
    row = core.session.query(AuditEvent).filter_by(action="variable.created").one()
    assert (row.actor, row.address, row.way) == ("maintainer", "127.0.0.1", "session")
    assert "TOKEN" not in maintainer.get("/skerry/hello/-/audit?subject=member").text
    assert "Nothing here" in maintainer.get("/skerry/hello/-/audit?actor=nobody").text
