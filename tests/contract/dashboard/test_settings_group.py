"""A group's settings: its owners change it, its members, and end it when it is empty."""

from datetime import timedelta

from app.domain.permissions import Role
from app.models import Group, Membership, write
from app.services.projects.groups import create_group
from tests.factories import make_member, make_project, make_runner

BASE = "/-/groups/skerry/-"


def test_owners_of_a_group_change_it_and_its_members(site, core, user_of):
    owner = site.visitor("owner")
    for name, expected in ((None, 302), ("stranger", 404), ("maintainer", 403), ("owner", 200), ("admin", 200)):
        assert site.visitor(name).get(f"{BASE}/settings").status_code == expected, name
    link = 'href="/-/groups/skerry/-/settings"'
    assert link in owner.get("/skerry/hello/-/settings").text
    assert link not in site.visitor("maintainer").get("/skerry/hello/-/settings").text
    form = {"name": "Rocks <b>", "description": "", "visibility": "internal"}
    assert owner.post(f"{BASE}/settings", form).status_code == 303
    assert "Rocks &lt;b&gt;" in owner.get(f"{BASE}/settings").text
    assert core.session.query(Group).one().visibility == "internal"
    refused = (
        ({"name": " "}, "blank"),
        ({"visibility": "secret"}, "one of private"),
        ({"description": "x" * 2001}, "too long"),
    )
    for wrong, said in refused:
        page = owner.post(f"{BASE}/settings", form | wrong)
        assert (page.status_code, said in page.text) == (422, True)
    for username, role, status in (("STRANGER", 30, 303), ("stranger", 40, 303), ("ghost", 30, 422), ("guest", 7, 422)):
        assert owner.post(f"{BASE}/members", {"username": username, "role": str(role)}).status_code == status, username
    row = core.session.query(Membership).filter_by(user_id=user_of("stranger").id).one()
    assert (row.role, row.group_id) == (40, core.session.query(Group).one().id)
    assert site.visitor("stranger").get("/skerry/hello/-/settings").status_code == 200
    assert owner.post(f"{BASE}/members/{row.user_id}/remove").status_code == 303
    assert site.visitor("stranger").get("/skerry/hello").status_code == 404
    assert owner.post(f"{BASE}/members/{user_of('owner').id}/remove").status_code == 409, "an owner stays"


def test_an_owner_whose_time_is_over_does_not_stand_in_for_the_last_one(site, core, user_of):
    owner, leaver = site.visitor("owner"), user_of("owner")
    group = core.session.query(Group).one()
    over = make_member(core, user_of("guest"), group, Role.OWNER)
    with write(core.session):
        over.expires_at = core.now() - timedelta(days=1)
    assert owner.post(f"{BASE}/members/{leaver.id}/remove").status_code == 409
    with write(core.session):
        core.session.delete(core.session.query(Membership).filter_by(user_id=leaver.id, group_id=group.id).one())
    own = core.session.query(Membership).filter_by(user_id=leaver.id, project_id=site.project.id).one()
    assert owner.post(f"/skerry/hello/-/project_members/{own.id}/remove").status_code == 409


def test_only_an_empty_group_is_deleted_by_who_types_its_path(site, core, user_of):
    owner = site.visitor("owner")
    assert owner.post(f"{BASE}/delete", {"confirmation": "skerry"}).status_code == 409
    group = core.session.query(Group).filter_by(full_path="skerry").one()
    create_group(core, user_of("owner"), name="Empty", path="empty", parent=group)
    inside = "/-/groups/skerry/empty/-"
    assert owner.post(f"{inside}/delete", {"confirmation": "empty"}).status_code == 422
    assert owner.post(f"{inside}/delete", {"confirmation": "skerry/empty"}).status_code == 303
    assert [row.full_path for row in core.session.query(Group)] == ["skerry"]


def test_owners_see_the_audit_log_of_all_that_is_inside_and_of_nothing_else(site, core, user_of):
    owner, group = site.visitor("owner"), core.session.query(Group).one()
    inner = create_group(core, user_of("admin"), name="deep", path="deep", parent=group)
    make_project(core, f"{inner.full_path}/far", creator=user_of("admin"))
    make_project(core, "skerry-two/other")
    make_runner(core, description="shared")
    owner.post(f"{BASE}/settings/ci_cd", {"key": "TOKEN", "value": "hunter2hunter2"})
    owner.post("/skerry/hello/-/settings/ci_cd", {"key": "INSIDE", "value": "hunter2hunter2"})
    page = owner.get(f"{BASE}/audit").text
    for inside in ("<strong>TOKEN</strong>", "<strong>INSIDE</strong>", "skerry/deep/far", "<code>skerry/hello</code>"):
        assert inside in page, inside
    for outside in ("hunter2", "shared", "skerry-two"):
        assert outside not in page, outside
    narrowed = owner.get(f"{BASE}/audit?subject=variable&place=skerry/hello").text
    assert ("INSIDE" in narrowed, "TOKEN" in narrowed) == (True, False)
    assert f'href="{BASE}/audit"' in owner.get(f"{BASE}/settings").text
