"""A group's own page, and its CI variables and runners: the same pages as a project's, for its owners."""

import re

from app.models import CiVariable, Group, Runner, write
from app.services.projects.ci_variables import add_variable, value_of
from tests.factories import make_job, make_manager, make_pipeline, make_project, make_runner

GROUP, PROJECT, ADMIN = "/-/groups/skerry/-", "/skerry/hello/-", "/-/admin"


def test_a_group_shows_what_is_inside_and_offers_what_one_may_do_there(site, core, user_of):
    owner = site.visitor("owner")
    assert owner.get("/skerry").status_code == 200
    form = {"full_path": "skerry/rocks", "name": "Rocks <b>", "visibility": "private"}
    assert owner.post("/-/groups/new", form).location == "/skerry/rocks"
    empty = owner.get("/skerry/rocks").text
    assert "Rocks &lt;b&gt;" in empty
    assert "skerry project create skerry/rocks/NAME" in empty
    make_project(core, "skerry/rocks/big", creator=user_of("owner"))
    page = owner.get("/skerry").text
    assert all(f'href="/{path}"' in page for path in ("skerry/rocks", "skerry/rocks/big", "skerry/hello"))
    assert "New group inside" in page
    assert f'href="{GROUP}/settings"' in page
    guest = site.visitor("guest").get("/skerry").text
    assert ("New group inside" in guest, "/settings" in guest, "skerry/rocks" in guest) == (False, False, False)
    for name, path, status in (("stranger", "/skerry", 404), (None, "/skerry", 302), ("guest", "/skerry/rocks", 404)):
        assert site.visitor(name).get(path).status_code == status, name


def test_a_group_is_made_only_where_one_may_and_never_twice(site, core):
    owner = site.visitor("owner")
    table = (
        ({"full_path": "skerry"}, "already been taken"),
        ({"full_path": "nowhere/inside"}, "no group at that place"),
        ({"full_path": "api"}, "reserved name"),
        ({"full_path": "new", "visibility": "secret"}, "one of private"),
    )
    for form, said in table:
        page = owner.post("/-/groups/new", {"visibility": "private"} | form)
        assert (page.status_code, said in page.text) == (422, True), (form, page.text)
    refused = site.visitor("maintainer").post("/-/groups/new", {"full_path": "skerry/x", "visibility": "private"})
    assert (refused.status_code, "does not allow this" in refused.text) == (422, True)
    assert core.session.query(Group).count() == 1
    assert owner.post("/-/groups/new", {"full_path": "2026", "visibility": "private"}).status_code == 303
    assert owner.get("/-/groups/2026/-/settings").status_code == 200, "a number is a name too"
    number = str(site.project.id)
    assert owner.post("/-/groups/new", {"full_path": number, "visibility": "private"}).status_code == 303
    page = owner.get(f"/{number}").text
    assert ("New group inside" in page, "skerry/hello" in page) == (True, False), "and no project's key"


def test_variables_of_groups_and_of_the_installation_have_the_pages_of_a_projects(site, core):
    """Each at its own address alone, and a value is shown to none but who asks for it there."""
    owner, admin = site.visitor("owner"), site.visitor("admin")
    group = core.session.query(Group).one()
    homes = ((owner, f"{GROUP}/settings/ci_cd", group.id), (admin, f"{ADMIN}/variables", None))
    form = {"key": "TOKEN", "value": "line one\r\nline two", "protected": "1", "file": "1", "environment_scope": "prod"}
    rows = []
    for visitor, address, group_id in homes:
        assert visitor.post(address, form).status_code == 303
        row = core.session.query(CiVariable).order_by(CiVariable.id.desc()).first()
        rows.append(row.id)
        assert (row.project_id, row.group_id, row.protected, row.file) == (None, group_id, True, True)
        assert row.environment_scope == ("prod" if group_id else "*"), "the installation has no environments"
        assert value_of(core, row) == "line one\nline two"
        assert "line one" not in visitor.get(address).text + visitor.get(f"{address}/{row.id}").text
        shown = visitor.post(f"{address}/{row.id}/reveal")
        assert ("line one\nline two" in shown.text, shown.headers["Cache-Control"]) == (True, "no-store")
        wrong = visitor.post(address, {"key": "A", "value": "short", "masked": "1"})
        assert (wrong.status_code, "cannot be masked" in wrong.text) == (422, True)
        typed = visitor.post(f"{address}/{row.id}", {"masked": "1", "value": "short"})
        assert (typed.status_code, typed.headers["Cache-Control"]) == (422, "no-store"), "it comes back to be mended"
        assert visitor.post(f"{address}/{row.id}", {"masked": "1", "value": "long-enough"}).status_code == 303
        core.session.expire_all()
        assert (core.session.get(CiVariable, row.id).masked, value_of(core, row)) == (True, "long-enough")
    own = add_variable(core, site.project, "OWN", "x", {}).id
    addresses = [f"{PROJECT}/settings/ci_cd", *(address for _, address, _ in homes)]
    for number, address in enumerate(addresses):
        for foreign in [each for place, each in enumerate([own, *rows]) if place != number]:
            answers = [admin.get(f"{address}/{foreign}"), admin.post(f"{address}/{foreign}/remove")]
            assert [answer.status_code for answer in answers] == [404, 404], (address, foreign)
    for (visitor, address, _), row_id in zip(homes, rows, strict=True):
        assert visitor.post(f"{address}/{row_id}/remove").status_code == 303
    assert [row.id for row in core.session.query(CiVariable)] == [own]


def test_a_groups_runner_is_made_with_a_command_to_copy_paused_and_removed_there_alone(site, core, user_of):
    owner, admin, address = site.visitor("owner"), site.visitor("admin"), f"{GROUP}/runners"
    made = owner.post(address, {"description": "rock", "tags": "", "run_untagged": "1"})
    token = re.search(r"glrt-\S+?(?=<)", made.text)[0]
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert f"skerry-runner register --url {core.config.external_url} --token {token}" in made.text
    assert token not in owner.get(address).text
    group = core.session.query(Group).one()
    row = core.session.query(Runner).one()
    assert (row.runner_type, row.group_id, row.project_id) == ("group_type", group.id, None)
    below = make_project(core, "skerry/in/deep", creator=user_of("owner")).group
    seen = owner.get(f"/-/groups/{below.full_path}/-/runners").text
    assert ("rock" in seen, "Pause runner" in seen) == (True, False), "it is used below, and changed above"
    foreign = make_runner(core)[0].id
    for base, runner_id in ((PROJECT, row.id), (GROUP, foreign), (f"/-/groups/{below.full_path}/-", row.id)):
        assert admin.post(f"{base}/runners/{runner_id}/remove").status_code == 404, base
    assert owner.post(f"{address}/{row.id}/pause").location == address
    core.session.expire_all()
    assert core.session.get(Runner, row.id).paused
    assert owner.post(f"{address}/{row.id}/remove").status_code == 303
    assert [left.id for left in core.session.query(Runner)] == [foreign]


def test_an_idle_runner_tells_nothing_of_what_waits_in_projects_that_its_owner_does_not_see(site, core, user_of):
    elsewhere = make_pipeline(core, make_project(core, "secret/plans", creator=user_of("admin")))
    make_job(core, elsewhere, status="pending", tags=["customer-x"])
    for owner in ({"project": site.project, "runner_type": "project_type"}, {"group": site.project.group}):
        runner = make_runner(core, tags=["arm"], **{"runner_type": "group_type"} | owner)[0]
        make_manager(core, runner)
        with write(core.session):
            core.session.get_one(Runner, runner.id).contacted_at = core.now()
    pages = [site.visitor("owner").get(f"{base}/runners").text for base in (PROJECT, GROUP)]
    assert [("No job of these projects waits." in page, "customer-x" in page) for page in pages] == [(True, False)] * 2
    assert "they ask for customer-x" in site.visitor("admin").get(f"{ADMIN}/runners").text
    make_job(core, site.pipeline, status="pending", tags=["gpu"])
    for base in (PROJECT, GROUP):
        page = site.visitor("owner").get(f"{base}/runners").text
        assert ("One job waits, none that it fits: they ask for gpu." in page, "customer-x" in page) == (True, False)
