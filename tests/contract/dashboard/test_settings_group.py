"""A group's settings: its owners change it, its members, and end it when it is empty."""

from app.models import Group, Membership
from app.services.projects.groups import create_group

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


def test_only_an_empty_group_is_deleted_by_who_types_its_path(site, core, user_of):
    owner = site.visitor("owner")
    assert owner.post(f"{BASE}/delete", {"confirmation": "skerry"}).status_code == 409
    group = core.session.query(Group).filter_by(full_path="skerry").one()
    create_group(core, user_of("owner"), name="Empty", path="empty", parent=group)
    inside = "/-/groups/skerry/empty/-"
    assert owner.post(f"{inside}/delete", {"confirmation": "empty"}).status_code == 422
    assert owner.post(f"{inside}/delete", {"confirmation": "skerry/empty"}).status_code == 303
    assert [row.full_path for row in core.session.query(Group)] == ["skerry"]
