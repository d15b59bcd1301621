"""Known columns stand in for an object of a model: they are believed, and what is not among them is read."""

import pytest

from app.models import Job
from app.services.core import Core
from app.services.runners.claim_job import claim_job
from app.services.runners.job_facts import _TOLD, read_facts
from app.services.runners.job_payload import job_payload
from app.services.runners.known_columns import known_columns
from tests.databases import BOTH
from tests.factories import make_job, make_manager, make_pipeline, make_project, make_runner
from tests.support.statements import statements


def test_what_is_known_is_not_read_and_what_is_not_known_is(core: Core) -> None:
    job = make_job(core, make_pipeline(core, make_project(core)), name="build")
    known = known_columns(core.session, Job, {"id": job.id, "name": "as it was", "pipeline_id": 7})
    assert known.seal_context == "job_variables:7:as it was"
    assert (known.status, known.project.id, known.name) == ("pending", job.project_id, "as it was")
    with pytest.raises(AttributeError):
        _ = known.nothing_of_that_name


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_what_is_told_of_a_claimed_job_is_what_its_rows_say_by_two_statements(core: Core) -> None:
    make_job(core, make_pipeline(core, make_project(core)), stage_index=0)
    runner = make_runner(core, tags=["linux"])[0]
    claimed = claim_job(core, runner.id, make_manager(core, runner).id, frozenset())
    assert claimed
    with statements() as seen:
        assert job_payload(core, claimed, frozenset())["id"] == claimed.job_id
    assert [statement.split()[1] for statement, _ in seen] == ["jobs.id,", "ci_variables.id,"]
    told, job = read_facts(core, claimed.job_id).job, core.session.get_one(Job, claimed.job_id)
    pairs = [(told, job), (told.pipeline, job.pipeline), (told.project, job.project)]
    pairs += [(told.project.group, job.project.group), (told.user, job.user), (told.runner, job.runner)]
    for (mine, row), names in zip(pairs, _TOLD.values(), strict=True):
        assert (mine is None) == (row is None)
        assert [getattr(mine, name) for name in names if row] == [getattr(row, name) for name in names if row]
