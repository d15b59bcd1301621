"""The pages of environments and of releases."""

import html

import pytest

from app.models import Environment, Release, ReleaseLink, write
from app.services.environments.save_environment import create_environment
from app.services.pipelines.lint import lint_file


@pytest.fixture
def environment(site, core):
    return create_environment(core, site.project, "review/one", {"external_url": "https://x.example.com"})


def test_environments_are_shown_and_stopped(site, core, environment):
    page = site.visitor("reporter").get("/skerry/hello/-/environments").text
    assert "review/one" in page
    assert 'href="https://x.example.com"' in page
    assert "/stop" not in page
    developer = site.visitor("developer")
    assert f"/environments/{environment.id}/stop" in developer.get("/skerry/hello/-/environments").text
    answer = developer.post(f"/skerry/hello/-/environments/{environment.id}/stop")
    assert answer.status_code == 303
    core.session.rollback()
    assert core.session.get_one(Environment, environment.id).state == "stopped"
    assert "<strong>review/one</strong>" not in developer.get("/skerry/hello/-/environments").text
    assert "<strong>review/one</strong>" in developer.get("/skerry/hello/-/environments?stopped=1").text


def test_only_those_who_may_stop_an_environment(site, core, environment):
    path = f"/skerry/hello/-/environments/{environment.id}/stop"
    assert site.visitor("reporter").post(path).status_code == 403
    assert site.visitor("stranger").post(path).status_code == 404
    core.session.rollback()
    assert core.session.get_one(Environment, environment.id).state == "available"


def test_releases_are_shown_as_text_with_links_that_lead_out(site, core):
    project_id, now = site.project.id, core.now()
    times = {"released_at": now, "created_at": now, "updated_at": now}
    with write(core.session):
        release = Release(
            project_id=project_id,
            tag_name="v1",
            name="First <b>",
            description="<script>x</script>",
            sha="a" * 40,
            milestones=["m1"],
            **times,
        )
        release.links = [ReleaseLink(name="binary", url="https://a.example.com/b", created_at=now)]
        core.session.add(release)
    page = site.visitor("guest").get("/skerry/hello/-/releases").text
    assert "First &lt;b&gt;" in page
    assert "&lt;script&gt;x" in page
    assert '<a href="https://a.example.com/b" rel="noopener noreferrer nofollow">binary</a>' in page
    assert "m1" in page


def test_without_any_the_pages_say_how_to_make_one_by_a_configuration_that_holds(site, tmp_path):
    visitor = site.visitor("reporter")
    for page, title in (("environments", "No environments yet"), ("releases", "No releases yet")):
        text = visitor.get(f"/skerry/hello/-/{page}").text
        assert title in text
        example = html.unescape(text.partition("<pre><code>")[2].partition("</code>")[0])
        (tmp_path / f"{page}.yml").write_text(example)
        checked = lint_file(tmp_path / f"{page}.yml")
        assert checked.valid, checked.as_text()
