"""Why a job is as it is, in a few words."""

from app.dashboard.job_reason import job_reason
from app.models import Job, Pipeline
from app.services.pipelines.show_pipeline import PipelineView, Stage

_OTHERS = [
    Job(id=number, name=name, stage="build", stage_index=0, status=status)
    for number, (name, status) in enumerate(
        (("done", "success"), ("one", "running"), ("two", "manual"), ("three", "created"), ("four", "pending")), 10
    )
]


def _reason(held_up: dict[int, str] | None = None, **given) -> str:
    job = Job(id=1, name="job", stage="test", stage_index=1, **given)
    stages = [Stage("build", "running", _OTHERS), Stage("test", "created", [job])]
    return job_reason(job, PipelineView(Pipeline(), stages, {}, held_up or {}))


def test_a_job_says_why_it_waits_or_failed_and_nothing_where_its_status_says_all():
    said = {
        "failed with exit code 3": {"status": "failed", "failure_reason": "script_failure", "exit_code": 3},
        "skipped, because a job before it did not pass": {"status": "skipped", "waiting_reason": "old"},
        "no runner has the tag gpu": {"status": "pending", "waiting_reason": "no runner has the tag gpu"},
        "held by #7": {"status": "waiting_for_resource", "held_up": {1: "held by #7"}},
        "waits for one, two, three and 1 more": {"status": "created"},
        "waits for one": {"status": "created", "needs": [{"job": "one"}, {"job": "done"}, {"job": "gone"}]},
        "": {"status": "created", "needs": []},
    }
    assert {_reason(**given): given for given in said.values()} == said
    assert _reason(status="success", waiting_reason="old") == _reason(status="running") == ""
    assert "runner" in _reason(status="failed", failure_reason="runner_system_failure")
