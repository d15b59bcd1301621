"""Runs: the list and its filters, words and progress, starting and aborting."""

from collections.abc import Callable
from typing import Any

import pytest

from app.api.wercker_v3.entities.common import id_of
from app.domain.plan import JobPlan, Step
from app.models import Job, Pipeline
from app.services.artifacts.fetch_artifact import fetch_archive
from app.services.pipelines.kept_variables import open_variables
from app.services.runners import dependencies
from tests.databases import BOTH
from tests.factories import make_manager, make_pipeline, make_project, make_runner
from tests.git_client import Checkout
from tests.support.place import Place, zipped
from tests.support.wercker import Api, Ids


def run_ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.json
    return [run["id"] for run in response.json]


@pytest.fixture
def runs(place: Place) -> dict[str, str]:
    """One run of each kind, oldest first; their ids."""
    place.set(place.pipeline, status="success", ref="main")
    made = {"passed": place.pipeline}
    for name, given in {
        "failed": {"status": "failed", "ref": "dev", "sha": "ab" * 20},
        "canceled": {"status": "canceled"},
        "canceling": {"status": "canceling"},
        "skipped": {"status": "skipped"},
        "waiting": {"status": "pending"},
        "manual": {"status": "manual"},
        "claimed": {"status": "running"},
        "running": {"status": "running", "user": place.users["owner"]},
        "tag": {"status": "success", "ref": "v1", "tag": True},
    }.items():
        made[name] = make_pipeline(place.core, place.project, **({"user": place.users["developer"]} | given))
    for name in ("claimed", "running"):
        place.pipeline = made[name]
        place.job(status="running", heard_at=place.core.now() if name == "running" else None)
    return {name: id_of(pipeline) for name, pipeline in made.items()}


QUERIES = [
    ("", "tag running claimed manual waiting skipped canceling canceled failed passed"),
    ("sort=creationDateAsc&limit=2", "passed failed"),
    ("limit=2&skip=1", "running claimed"),
    ("skip=0&limit=1", "tag"),
    ("status=notstarted", "manual waiting"),
    ("status=started", "claimed"),
    ("status=running", "running"),
    ("status=finished", "tag skipped canceling canceled failed passed"),
    ("result=passed", "tag passed"),
    ("result=failed", "failed"),
    ("result=aborted", "skipped canceling canceled"),
    ("result=unknown", "running claimed manual waiting"),
    ("status=running&result=unknown", "running"),
    ("status=finished&result=unknown", ""),
    ("branch=dev", "failed"),
    ("branch=none", ""),
    ("tag=v1", "tag"),
    ("tag=main", ""),
    ("branch=v1", "tag"),
    ("branch=v1&tag=v1", "tag"),
    ("branch=dev&tag=v1", ""),
    (f"commit={'ab' * 20}", "failed"),
    ("commit=ABABAB", "failed"),
    ("commit=%25", ""),
    ("author=OWNER", "running"),
    ("author=nobody", ""),
    ("sourceRun=577a4dbc3ec144923a02b6f9", ""),
    ("unknown=1", "tag running claimed manual waiting skipped canceling canceled failed passed"),
]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_list_is_filtered_sorted_and_cut(api: Api, ids: Ids, runs: dict[str, str]) -> None:
    for query, names in QUERIES:
        for place in (f"applicationId={ids.application}", f"pipelineId={ids.pipeline}"):
            found = run_ids(api.get(f"/runs?{place}&{query}"))
            assert (query, found) == (query, [runs[name] for name in names.split()])


def test_the_list_holds_twenty(api: Api, place: Place, ids: Ids) -> None:
    for _ in range(20):
        make_pipeline(place.core, place.project)
    assert len(run_ids(api.get(f"/runs?applicationId={ids.application}"))) == 20
    assert run_ids(api.get(f"/runs?applicationId={ids.application}&skip=20")) == [ids.run]


def test_the_list_tells_pipelines_apart(api: Api, place: Place, ids: Ids) -> None:
    other = api.post("/pipelines", json={"application": ids.application, "name": "deploy"}).json["id"]
    assert run_ids(api.get(f"/runs?pipelineId={other}")) == []
    assert run_ids(api.get(f"/runs?pipelineId={ids.pipeline}")) == [ids.run]
    elsewhere = id_of(make_project(place.core, "else/where", creator=place.users["maintainer"]))
    assert run_ids(api.get(f"/runs?pipelineId={ids.pipeline}&applicationId={elsewhere}")) == []
    assert run_ids(api.get(f"/runs?pipelineId={ids.pipeline}&applicationId={ids.application}")) == [ids.run]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_list_needs_few_queries_however_long_it_is(
    api: Api, place: Place, ids: Ids, queries: Callable[[Callable[[], Any]], int]
) -> None:
    api.get("/tokens")
    few = queries(lambda: api.get(f"/runs?applicationId={ids.application}"))
    for number in range(5):
        place.pipeline = make_pipeline(place.core, place.project, user=place.user(f"u{number}"))
        place.job(status="success")
    assert queries(lambda: api.get(f"/runs?applicationId={ids.application}")) == few


WORDS = [
    ("created", False, ("notstarted", "unknown")),
    ("pending", False, ("notstarted", "unknown")),
    ("preparing", False, ("notstarted", "unknown")),
    ("waiting_for_resource", False, ("notstarted", "unknown")),
    ("scheduled", False, ("notstarted", "unknown")),
    ("manual", False, ("notstarted", "unknown")),
    ("running", False, ("started", "unknown")),
    ("running", True, ("running", "unknown")),
    ("success", True, ("finished", "passed")),
    ("failed", True, ("finished", "failed")),
    ("canceled", False, ("finished", "aborted")),
    ("canceling", True, ("finished", "aborted")),
    ("skipped", False, ("finished", "aborted")),
]


def test_status_and_result(api: Api, place: Place, ids: Ids) -> None:
    job = place.job(status="pending")
    for ours, heard, words in WORDS:
        place.set(place.pipeline, status=ours)
        place.set(job, heard_at=place.core.now() if heard else None)
        run = api.get(f"/runs/{ids.run}").json
        assert (ours, run["status"], run["result"]) == (ours, *words)


def four_steps(place: Place, reached: int, job_status: str, pipeline_status: str, **job: Any) -> None:
    """One job of four steps (so there are seven with those that every job has), `reached` of which have begun."""
    plan = JobPlan(name="build", stage="build", steps=tuple(Step(f"step {n}", ("x",)) for n in range(4)))
    row = place.job(plan=plan, status=job_status, **job)
    for number, step in enumerate(row.steps[:reached], 1):
        place.set(step, status="running" if number == reached and job_status == "running" else "success")
    place.set(place.pipeline, status=pipeline_status)


@pytest.mark.parametrize(
    ("reached", "job_status", "pipeline_status", "progress"),
    [
        (0, "pending", "pending", 0),
        (0, "running", "running", 5),
        (1, "running", "running", 42),
        (2, "running", "running", 57),
        (3, "running", "running", 71),
        (4, "running", "running", 85),
        (4, "success", "success", 100),
        (2, "failed", "failed", 57),
        (3, "canceled", "canceled", 71),
        (1, "canceling", "canceling", 42),
    ],
)
def test_progress_follows_the_steps(
    api: Api, place: Place, ids: Ids, reached: int, job_status: str, pipeline_status: str, progress: int
) -> None:
    begun = None if job_status == "pending" else place.core.now()
    four_steps(place, reached, job_status, pipeline_status, started_at=begun, heard_at=begun)
    assert api.get(f"/runs/{ids.run}").json["progress"] == progress
    assert api.get(f"/runs?applicationId={ids.application}").json[0]["progress"] == progress


def test_a_run_that_was_aborted_before_it_started_has_no_progress(api: Api, place: Place, ids: Ids) -> None:
    four_steps(place, 0, "canceled", "canceled")
    assert api.get(f"/runs/{ids.run}").json["progress"] == 0


def test_what_is_not_known_is_left_out(api: Api, place: Place, ids: Ids) -> None:
    place.set(place.pipeline, user_id=None)
    run = api.get(f"/runs/{ids.run}").json
    assert {"startedAt", "finishedAt", "user", "sourceRun", "tag"}.isdisjoint(run)
    assert None not in run.values()


def test_a_push_tells_its_commit(api: Api, place: Place, ids: Ids) -> None:
    run = api.get(f"/runs/{ids.run}").json
    sha = place.pipeline.sha
    assert run["commits"] == [{"_id": sha[:24], "commit": sha, "message": "Add a file\n", "by": "Ada"}]
    assert run["message"] == "Add a file\n"


def test_variables_are_for_those_who_could_give_them(api: Api, place: Place, ids: Ids) -> None:
    place.set(place.project, visibility="public")
    assert api.get(f"/runs/{ids.run}").json["envVars"] == []
    assert "envVars" not in api.get(f"/runs/{ids.run}", token=place.tokens["reporter"]).json
    assert "envVars" not in api.get(f"/runs/{ids.run}", token=None).json


class TestTrigger:
    def test_the_default_branch_runs_with_its_newest_commit(self, api: Api, ids: Ids, pushed: Checkout) -> None:
        head = pushed.commit({"a": "1"}, "Second\n")
        assert pushed.push("main").ok
        run = api.post("/runs", json={"pipelineId": ids.pipeline}).json
        assert (run["branch"], run["commitHash"], run["message"]) == ("main", head, "Second\n")
        assert run["envVars"] == []
        assert (run["user"]["meta"]["username"], run["pipeline"]["id"]) == ("maintainer", ids.pipeline)
        assert api.get(f"/runs/{run['id']}").json["commits"] == []

    def test_a_commit_of_a_branch(self, api: Api, ids: Ids, pushed: Checkout) -> None:
        first = pushed.git("rev-parse", "HEAD")
        pushed.commit({"a": "1"})
        assert pushed.push("main:dev").ok
        run = api.post("/runs", json={"pipelineId": ids.pipeline, "branch": "dev", "commitHash": first}).json
        assert (run["branch"], run["commitHash"]) == ("dev", first)

    @pytest.mark.parametrize("commit", ["0" * 40, "HEAD", "main", "--all", "ab"])
    def test_a_commit_that_the_branch_does_not_hold(
        self, api: Api, ids: Ids, pushed: Checkout, error: Callable[..., Any], commit: str
    ) -> None:
        body = {"pipelineId": ids.pipeline, "branch": "main", "commitHash": commit}
        response = api.post("/runs", json=body)
        assert error(response)[:2] == (400, "Bad Request")
        assert response.json["details"][0]["path"] == "commitHash"

    def test_a_commit_of_another_branch(self, api: Api, ids: Ids, pushed: Checkout) -> None:
        """Else its jobs would see what is meant for a protected branch."""
        pushed.git("checkout", "--quiet", "-b", "evil")
        evil = pushed.commit({"a": "1"})
        assert pushed.push("evil").ok
        body = {"pipelineId": ids.pipeline, "branch": "main", "commitHash": evil}
        assert api.post("/runs", json=body).status_code == 400

    def test_variables_keep_their_order(self, api: Api, place: Place, ids: Ids, pushed: Checkout) -> None:
        given = [{"key": "A", "value": "1"}, {"key": "B", "value": "$A 2"}, {"key": "A", "value": ""}]
        run = api.post("/runs", json={"pipelineId": ids.pipeline, "envVars": given}).json
        assert run["envVars"] == given
        row = place.core.session.get_one(Pipeline, int(run["id"][10:], 16))
        kept = open_variables(place.core, row.variables_sealed, row.seal_context)
        assert [(variable.key, variable.value, variable.raw) for variable in kept] == [
            ("A", "1", False),
            ("B", "$A 2", False),
            ("A", "", False),
        ]

    @pytest.mark.parametrize("database", BOTH, indirect=True)
    def test_a_source_run_gives_its_commit_and_its_artifacts(
        self, api: Api, place: Place, ids: Ids, pushed: Checkout
    ) -> None:
        first = api.post("/runs", json={"pipelineId": ids.pipeline}).json
        made = place.core.session.query(Job).filter_by(pipeline_id=int(first["id"][10:], 16)).one()
        place.set(made, status="success")
        place.archive(made, zipped({"a": b"1"}))
        pushed.commit({"a": "1"})
        assert pushed.push("main").ok
        deploy = api.post("/pipelines", json={"application": ids.application, "name": "deploy"}).json
        run = api.post("/runs", json={"pipelineId": deploy["id"], "sourceRunId": first["id"]}).json
        assert (run["commitHash"], run["branch"]) == (first["commitHash"], "main")
        assert run["message"] == 'Auto trigger from Pipeline "default" to Pipeline "deploy"'
        job = place.core.session.query(Job).filter_by(pipeline_id=int(run["id"][10:], 16)).one()
        given = dependencies.jobs_of(place.core, job)
        assert [other.id for other in given] == [made.id]
        archive = dependencies.archives(place.core, given)[made.id]
        place.set(job, status="running")
        assert fetch_archive(place.core, made.id, place.job_token(job)).id == archive.id
        detailed = api.get(f"/runs/{run['id']}").json
        assert detailed["sourceRun"]["id"] == first["id"]
        assert "commits" not in detailed["sourceRun"]
        assert run_ids(api.get(f"/runs?applicationId={ids.application}&sourceRun={first['id']}")) == [run["id"]]

    def test_a_configuration_that_does_not_compile_is_a_failed_run(self, api: Api, ids: Ids, pushed: Checkout) -> None:
        pushed.commit({".gitlab-ci.yml": "build: [nonsense"})
        assert pushed.push("main").ok
        run = api.post("/runs", json={"pipelineId": ids.pipeline}).json
        assert (run["status"], run["result"], run["progress"]) == ("finished", "failed", 0)
        (step,) = api.get(f"/runs/{run['id']}/steps").json
        assert (step["step"], step["status"], step["result"]) == ("setup environment", "finished", "failed")
        assert api.get(f"/runsteps/{step['id']}").json == step
        assert ".gitlab-ci.yml" in api.get(f"/runsteps/{step['id']}/log").text

    def test_rules_that_leave_nothing_to_run(
        self, api: Api, ids: Ids, pushed: Checkout, error: Callable[..., Any]
    ) -> None:
        pushed.commit({".gitlab-ci.yml": "build:\n  script: [a]\n  rules: [{when: never}]\n"})
        assert pushed.push("main").ok
        response = api.post("/runs", json={"pipelineId": ids.pipeline})
        assert error(response)[:2] == (422, "Unprocessable Entity")

    def test_a_body_as_curl_sends_it(self, api: Api, ids: Ids, pushed: Checkout) -> None:
        form = "application/x-www-form-urlencoded"
        response = api.post("/runs/", data=f' {{"pipelineId": "{ids.pipeline}"}}', content_type=form)
        assert response.status_code == 200
        assert api.post("/runs/", data=f"pipelineId={ids.pipeline}", content_type=form).status_code == 200


class TestAbort:
    def running(self, place: Place, **features: bool) -> Job:
        runner, _ = make_runner(place.core)
        manager = make_manager(place.core, runner, features=features)
        now = place.core.now()
        place.set(place.pipeline, status="running", started_at=now)
        given = {"runner_id": runner.id, "runner_manager_id": manager.id}
        return place.job(status="running", started_at=now, heard_at=now, **given)

    @pytest.mark.parametrize("graceful", [True, False])
    def test_the_answer_is_final_at_once(self, api: Api, place: Place, ids: Ids, graceful: bool) -> None:
        """Also while the runner is yet to stop."""
        job = self.running(place, cancel_gracefully=graceful)
        run = api.put(f"/runs/{ids.run}/abort/", json={}).json
        assert (run["status"], run["result"]) == ("finished", "aborted")
        assert run["finishedAt"] >= run["startedAt"]
        assert place.core.session.get_one(Job, job.id).status == ("canceling" if graceful else "canceled")

    def test_what_has_finished_stays(self, api: Api, place: Place, ids: Ids) -> None:
        place.set(place.pipeline, status="success")
        place.job(status="success")
        run = api.put(f"/runs/{ids.run}/abort").json
        assert (run["status"], run["result"]) == ("finished", "passed")
