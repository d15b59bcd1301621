"""A new project in three ways: to push to, with a pipeline to start from, as a mirror; and what its first page says."""

import html

from app.models import Job, Pipeline, Project, write
from app.services.repositories.request_fetch import fetch_next_mirror
from tests.factories import make_pipeline

NEW = "/-/projects/new"


def _pipelines(core, path):
    core.session.expire_all()
    return core.session.query(Pipeline).join(Pipeline.project).filter(Project.full_path == path).all()


def test_a_project_says_how_to_push_to_it_by_commands_with_its_real_address(site, core):
    developer = site.visitor("developer")
    form = {"full_path": "rocks/big", "visibility": "internal", "repository": "hosted", "starter": ""}
    assert developer.post(NEW, form | {"mirror_url": "https://example.com/x.git"}).location == "/rocks/big"
    made = core.session.query(Project).filter_by(full_path="rocks/big").one()
    assert (made.visibility, made.repository) == ("internal", "hosted"), "an address that was not asked for is none"
    scheme, _, host = core.config.external_url.partition("://")
    address = f"{scheme}://developer@{host}/rocks/big.git"
    page = html.unescape(developer.get("/rocks/big").text)
    assert f"git remote add skerry {address}\ngit push skerry HEAD:main" in page
    assert f"git clone {address}\ncd big\n" in page
    assert "Commit and run it" in page
    assert "git clone" not in site.visitor("stranger").get("/rocks/big").text
    assert developer.post("/rocks/big/-/settings/pipelines", {"default_branch": "main;$(id)"}).status_code == 303
    page = html.unescape(developer.get("/rocks/big").text)
    assert (page.count("'HEAD:main;$(id)'"), page.count("HEAD:main;$(id)")) == (2, 2), "one word for a shell"


def test_a_starter_runs_at_once_with_the_project_or_later_and_never_over_what_is_there(site, core):
    developer = site.visitor("developer")
    form = {"visibility": "private", "repository": "hosted"}
    developer.post(NEW, form | {"full_path": "rocks/one", "starter": "shell"})
    (pipeline,) = _pipelines(core, "rocks/one")
    assert [job.name for job in core.session.query(Job).filter_by(pipeline_id=pipeline.id)] == [
        "build",
        "test",
        "deploy",
    ]
    page = developer.get("/rocks/one").text
    assert ("its pipeline runs" in page, f"/rocks/one/-/pipelines/{pipeline.id}" in page) == (True, True)
    developer.post(NEW, form | {"full_path": "rocks/two"})
    assert _pipelines(core, "rocks/two") == []
    assert site.visitor("stranger").post("/rocks/two/-/starter", {"starter": "hello"}).status_code == 404
    assert developer.post("/rocks/two/-/starter", {"starter": "hello"}).location == "/rocks/two"
    assert len(_pipelines(core, "rocks/two")) == 1
    again = developer.post("/rocks/two/-/starter", {"starter": "shell", "back": "/rocks/two"})
    assert "holds commits already" in developer.get(again.location).text
    assert len(_pipelines(core, "rocks/two")) == 1


def test_a_mirror_is_fetched_without_being_asked_and_its_first_page_says_how_that_went(site, core):
    admin = site.visitor("admin")
    where = "http://user:hunter2@127.0.0.1:9/x.git"
    form = {"full_path": "far/away", "visibility": "private", "repository": "mirrored", "mirror_url": where}
    assert admin.post(NEW, form | {"starter": "hello"}).location == "/far/away"
    page = admin.get("/far/away").text
    assert "<code>http://127.0.0.1:9/x.git</code>" in page
    assert "It is being fetched" in page
    fetched = admin.post("/far/away/-/settings/mirror/fetch", {"next": "/far/away"})
    assert fetched.location == "/far/away"
    assert admin.get("/far/away").text.count("is being fetched") == 2, "the notice, and how it stands"
    assert (fetch_next_mirror(core), fetch_next_mirror(core)) == (True, False), "asked for twice, done once"
    failed = admin.get("/far/away").text
    assert ("is being fetched" in failed, "The last fetch failed" in failed) == (False, True)
    assert "hunter2" not in page + failed
    with write(core.session):
        core.session.query(Project).filter_by(full_path="far/away").one().visibility = "public"
    seen = site.visitor().get("/far/away").text
    assert ("The last fetch failed." in seen, "127.0.0.1" in seen) == (True, False), "git names the address"
    make_pipeline(core, core.session.query(Project).filter_by(full_path="far/away").one())
    seen = site.visitor().get("/far/away").text
    assert ("fetch of the mirror failed." in seen, "127.0.0.1" in seen) == (True, False)
    elsewhere = admin.post("/far/away/-/settings/mirror/fetch", {"next": "https://example.com/"})
    assert elsewhere.location == "/far/away/-/settings"
