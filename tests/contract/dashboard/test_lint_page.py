"""Checking a configuration before it is committed."""

import html
from pathlib import Path

import pytest

from app.models import Pipeline
from tests.factories import make_token
from tests.git_client import new_checkout

LINT = "/skerry/hello/-/ci/lint"


@pytest.fixture
def pushed(site, server, user_of, tmp_path: Path):
    token = make_token(site.core, user_of("owner"))[1]
    checkout = new_checkout(tmp_path / "checkout", server.clone_url("skerry/hello", "owner", token))
    checkout.commit({".gitlab-ci.yml": "include: part.yml\n", "part.yml": "unit: {script: [pytest]}\n"})
    checkout.git("push", "origin", "HEAD:main", "-o", "ci.skip")
    return site


def checked(visitor, content: str, status: int = 200, **form) -> str:
    answer = visitor.post(LINT, {"content": content, **form})
    assert answer.status_code == status
    return html.unescape(answer.text)


def test_what_is_wrong_is_shown_at_its_place_with_what_was_meant(pushed):
    page = checked(
        pushed.visitor("developer"), "a:\r\n  script: x\r\n  before_scrip: <b>\r\nb: {script: x, stage: nope}\r\n"
    )
    assert "Not valid: 2 errors." in page
    assert ".gitlab-ci.yml:3:3" in page
    assert "unknown keys: before_scrip (did you mean `before_script`?)" in page
    assert "<code>  <mark>before_scrip: <b></mark></code>" in page
    assert ".gitlab-ci.yml:4:1" in page


def test_the_jobs_and_the_merged_text_of_a_valid_configuration_are_shown(pushed):
    developer = pushed.visitor("developer")
    assert "include: part.yml" in html.unescape(developer.get(LINT).text)
    before = pushed.core.session.query(Pipeline).count()
    page = checked(developer, "include: part.yml\ndeploy: {stage: deploy, script: x, needs: [unit], when: manual}\n")
    assert "would make 2 jobs" in page
    assert "<td>test</td><td>unit</td>" in page
    assert "manual, may fail</td><td>unit</td>" in page
    assert "pytest" in page
    assert pushed.core.session.query(Pipeline).count() == before
    nothing = checked(developer, "workflow: {rules: [{when: never}]}\na: {script: x}\n")
    assert "would make no pipeline: Pipeline filtered out by workflow rules." in nothing


def test_what_is_committed_is_loaded_and_markup_stays_text(pushed):
    developer = pushed.visitor("developer")
    assert "include: part.yml" in checked(developer, "mine", load="1", ref="main")
    assert "mine" in checked(developer, "mine", ref="no-such-branch")
    answer = developer.post(LINT, {"content": "</textarea><script>x</script>"})
    assert "<script>x" not in answer.text


def test_the_page_is_for_those_who_may_push_and_is_linked_for_them(pushed):
    assert pushed.visitor("reporter").get(LINT).status_code == 403
    assert pushed.visitor("reporter").post(LINT, {"content": "a"}).status_code == 403
    assert LINT not in pushed.visitor("reporter").get("/skerry/hello/-/pipelines").text
    assert LINT in pushed.visitor("developer").get("/skerry/hello/-/pipelines").text
