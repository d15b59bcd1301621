"""Which addresses are those of projects."""

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

from app.dashboard.routing import KeyConverter, NamespaceConverter, ProjectConverter

ROUTES = Map(
    [
        Rule("/<namespace:path>", endpoint="namespace"),
        Rule("/<project:path>/-/pipelines", endpoint="pipelines"),
        Rule("/<project:path>/-/jobs/<key:job_id>", endpoint="job"),
        Rule("/<project:path>/-/jobs/<key:job_id>/artifacts/browse/<path:folder>", endpoint="browse"),
    ],
    converters={"namespace": NamespaceConverter, "project": ProjectConverter, "key": KeyConverter},
).bind("ci.example")


@pytest.mark.parametrize(
    ("path", "endpoint", "arguments"),
    [
        ("/a", "namespace", {"path": "a"}),
        ("/a/b.c/d_e-f", "namespace", {"path": "a/b.c/d_e-f"}),
        ("/a/b/-/pipelines", "pipelines", {"path": "a/b"}),
        ("/a/b/c/-/jobs/7", "job", {"path": "a/b/c", "job_id": 7}),
        ("/a/b/-/jobs/7/artifacts/browse/x/-/jobs/8", "browse", {"path": "a/b", "job_id": 7, "folder": "x/-/jobs/8"}),
        ("/apis/b/-/pipelines", "pipelines", {"path": "apis/b"}),
    ],
)
def test_addresses_of_projects_and_groups(path, endpoint, arguments):
    assert ROUTES.match(path) == (endpoint, arguments)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v4",
        "/api/v4/projects/-/jobs/1",
        "/-/health",
        "/a/b.git",
        "/a/b.git/info/refs",
        "/a/-/pipelines",
        "/a/b/-/jobs/x",
        f"/a/b/-/jobs/{2**63}",
        "/a b/c",
        "/a/-/b",
        "/" + "a/" * 30 + "b",
    ],
)
def test_addresses_of_others(path):
    with pytest.raises(NotFound):
        ROUTES.match(path)
