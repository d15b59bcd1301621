"""`artifacts:access`: whom a job shows its artifacts to."""

import pytest

from app.domain.plan import ArtifactSpec, JobPlan, Step
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

PEOPLE = ("guest", "developer", "maintainer", "admin")


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("all",), {"guest", "developer", "maintainer", "admin"}),
        (("developer",), {"developer", "maintainer", "admin"}),
        (("maintainer",), {"maintainer", "admin"}),
        (("none",), set()),
        (("all", "maintainer", "developer"), {"maintainer", "admin"}),
    ],
)
def test_the_narrowest_word_decides(api: Api, place: Place, words: tuple[str, ...], allowed: set[str]) -> None:
    artifacts = tuple(ArtifactSpec(paths=("a",), access=word) for word in words)
    plan = JobPlan("build", "build", (Step("script", ("true",)),), artifacts=artifacts)
    job = place.job(plan=plan, status="success")
    place.archive(job, zipped({"a": b"x"}))
    place.set(place.pipeline, status="success")
    for path in (
        f"/projects/1/jobs/{job.id}/artifacts",
        f"/projects/1/jobs/{job.id}/artifacts/a",
        "/projects/1/jobs/artifacts/main/download?job=build",
        "/projects/1/jobs/artifacts/main/raw/a?job=build",
    ):
        found = {name: api.get(path, token=place.tokens[name]).status_code for name in PEOPLE}
        assert found == {name: 200 if name in allowed else 403 for name in PEOPLE}, path


def test_nobody_in_particular_gets_what_is_for_members(api: Api, place: Place) -> None:
    place.set(place.project, visibility="public")
    spec = ArtifactSpec(paths=("a",), access="developer")
    job = place.job(plan=JobPlan("build", "build", (Step("script", ("true",)),), artifacts=(spec,)))
    place.archive(job, zipped({"a": b"x"}))
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts", token=None).status_code == 403
