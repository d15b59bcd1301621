"""What authors write into commits, branches and configurations is shown as it is, and does nothing there."""

import re
from collections.abc import Callable

import pytest
import requests

from tests.contract.git.conftest import Hosted
from tests.factories import PASSWORD
from tests.git_client import Checkout

MESSAGE = "Fix \x1b[31mred\x07 🦭\u202e\u2028 <script>alert(1)</script>\n\n\x01\x02 body\r\n%s ${x}"
BRANCH = "$(touch${IFS}x);--upload-pack=y"
NAME = "jöb 🦭 <b>'\"&;$(id) " + "n" * 200
#: What a page may not hold as it came: it would turn the text around, or end a line in a script.
RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def page(hosted: Hosted) -> Callable[[str], requests.Response]:
    """Fetch a page as the owner."""
    session, url = requests.Session(), hosted.server.url
    token = session.get(f"{url}/-/sign_in", timeout=10).text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "username": "owner", "password": PASSWORD}
    assert session.post(f"{url}/-/sign_in", form, allow_redirects=False, timeout=10).status_code == 303
    return lambda path: session.get(url + path, timeout=10)


def test_pages_and_api_show_strange_texts_for_what_they_are(
    hosted: Hosted, checkout: Checkout, page: Callable[[str], requests.Response]
) -> None:
    checkout.commit({".gitlab-ci.yml": f"? {yaml_text(NAME)}\n: {{script: [make]}}\n"}, MESSAGE)
    assert checkout.push(f"HEAD:refs/heads/{BRANCH}").ok
    (pipeline,) = hosted.pipelines()
    assert pipeline.status == "pending", pipeline.yaml_errors
    base = f"{hosted.server.url}/api/v4/projects/{hosted.project.id}"
    headers = {"PRIVATE-TOKEN": hosted.token}
    (job,) = requests.get(f"{base}/pipelines/{pipeline.id}/jobs", headers=headers, timeout=10).json()
    assert (job["name"], job["ref"]) == (NAME, BRANCH)
    assert job["commit"]["message"].strip() == MESSAGE
    home = f"/{hosted.path}"
    for path in ("/", home, f"{home}/-/pipelines", f"{home}/-/pipelines/{pipeline.id}", f"{home}/-/jobs/{job['id']}"):
        shown = page(path)
        assert shown.status_code == 200, path
        assert not RAW.search(shown.text), path
        assert "<script>alert" not in shown.text
        assert "<b>'" not in shown.text
    assert "🦭" in page(f"{home}/-/pipelines/{pipeline.id}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page(f"{home}/-/pipelines/{pipeline.id}").text


def yaml_text(text: str) -> str:
    """`text` as a quoted scalar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
