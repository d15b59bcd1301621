"""Starting a pipeline by hand."""

from pathlib import Path

import pytest

from app.models import Pipeline
from tests.factories import make_token
from tests.git_client import new_checkout

NEW = "/skerry/hello/-/pipelines/new"


@pytest.fixture
def pushed(site, server, user_of, tmp_path: Path):
    """The project's repository has a branch `main` that works, and `broken`, which does not."""
    token = make_token(site.core, user_of("owner"))[1]
    checkout = new_checkout(tmp_path / "checkout", server.clone_url("skerry/hello", "owner", token))
    checkout.commit({".gitlab-ci.yml": "build:\n  script: [make]\n"})
    checkout.git("push", "origin", "HEAD:main", "-o", "ci.skip")
    checkout.commit({".gitlab-ci.yml": "build:\n  scrip: [make]\n"})
    checkout.git("push", "origin", "HEAD:broken", "-o", "ci.skip")
    return site


def test_a_pipeline_is_started_by_hand_with_variables(pushed):
    maintainer = pushed.visitor("maintainer")
    assert 'value="main"' in maintainer.get(NEW).text
    response = maintainer.post(NEW, {"ref": "main", "key": ["TARGET", ""], "value": ["staging", ""]})
    assert response.status_code == 303
    pipeline = pushed.core.session.query(Pipeline).order_by(Pipeline.id.desc()).first()
    assert response.location == f"/skerry/hello/-/pipelines/{pipeline.id}"
    assert (pipeline.source, pipeline.ref, pipeline.status) == ("web", "main", "pending")
    assert "staging" in pushed.core.box.open(pipeline.variables_sealed, pipeline.seal_context)
    assert "build" in maintainer.get(response.location).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"ref": "nothing"}, "Reference not found"),
        ({"ref": ""}, "Reference not found"),
        ({"ref": "--upload-pack=x"}, "Reference not found"),
        ({"ref": "broken"}, "configuration is broken"),
        ({"ref": "main", "key": "no good", "value": "x"}, "cannot name a variable"),
    ],
)
def test_what_cannot_be_started_is_said_on_the_form(pushed, form, said):
    before = pushed.core.session.query(Pipeline).count()
    response = pushed.visitor("maintainer").post(NEW, form)
    assert response.status_code == 422
    assert said in response.text
    assert pushed.core.session.query(Pipeline).count() == before


def test_a_developer_does_not_run_what_is_protected_and_a_reporter_nothing(pushed):
    answer = pushed.visitor("developer").post(NEW, {"ref": "main"})
    assert answer.status_code == 422
    assert "permission" in answer.text
    assert pushed.visitor("reporter").get(NEW).status_code == 403
    assert pushed.visitor("reporter").post(NEW, {"ref": "main"}).status_code == 403
