"""What the configuration of a push says about other pipelines: resource groups, and what is canceled by itself."""

from app.models import Job, Project, ResourceGroup
from app.services.pipelines.create_pipeline import create_pipeline
from app.services.pipelines.pipeline_request import PipelineRequest
from tests.contract.git.conftest import Hosted
from tests.git_client import Checkout


def jobs_of(hosted: Hosted, pipeline_id: int) -> dict[str, str]:
    hosted.core.session.rollback()
    return {job.name: job.status for job in hosted.core.session.query(Job).filter_by(pipeline_id=pipeline_id)}


def push(checkout: Checkout, configuration: str, branch: str = "main") -> None:
    checkout.commit({".gitlab-ci.yml": configuration})
    result = checkout.push(branch)
    assert result.ok, result.text


def test_a_newer_commit_cancels_what_has_not_begun(hosted: Hosted, checkout: Checkout) -> None:
    push(checkout, "build: {script: make}\n")
    push(checkout, "build: {script: make all}\n")
    first, second = hosted.pipelines()
    assert (first.status, second.status) == ("canceled", "pending")
    assert first.auto_canceled_by_id == second.id


def test_a_pipeline_of_the_commit_that_the_branch_points_to_goes_on(hosted: Hosted, checkout: Checkout) -> None:
    """Somebody runs an older commit by hand while the newest one is at work."""
    push(checkout, "build: {script: make}\n")
    old = hosted.ref("refs/heads/main") or ""
    push(checkout, "build: {script: make all}\n")
    core = hosted.core
    project = core.session.get_one(Project, hosted.project.id)
    request = PipelineRequest(project=project, ref="main", sha=old, user=None, source="api")
    made = create_pipeline(core, request)
    assert made is not None
    assert [pipeline.status for pipeline in hosted.pipelines()] == ["canceled", "pending", "pending"]


def test_a_configuration_may_forbid_it(hosted: Hosted, checkout: Checkout) -> None:
    push(checkout, "workflow: {auto_cancel: {on_new_commit: none}}\nbuild: {script: make}\n")
    push(checkout, "build: {script: make all}\n")
    assert [pipeline.status for pipeline in hosted.pipelines()] == ["pending", "pending"]


def test_interruptible_jobs_alone_are_canceled_where_the_configuration_says_so(
    hosted: Hosted, checkout: Checkout
) -> None:
    auto_cancel = "workflow: {auto_cancel: {on_new_commit: interruptible}}\n"
    push(checkout, auto_cancel + "a: {script: make}\nb: {script: make, interruptible: true}\n")
    push(checkout, auto_cancel + "a: {script: make all}\n")
    first, _ = hosted.pipelines()
    assert jobs_of(hosted, first.id) == {"a": "pending", "b": "canceled"}


def test_a_branch_is_no_newer_commit_of_another(hosted: Hosted, checkout: Checkout) -> None:
    push(checkout, "build: {script: make}\n")
    push(checkout, "build: {script: make all}\n", "main:topic")
    assert [pipeline.status for pipeline in hosted.pipelines()] == ["pending", "pending"]


def test_the_name_of_a_resource_group_may_hold_variables(hosted: Hosted, checkout: Checkout) -> None:
    configuration = (
        "variables: {WHERE: production}\n"
        "workflow: {auto_cancel: {on_new_commit: none}}\n"
        "deploy: {script: make deploy, resource_group: $WHERE/$CI_COMMIT_REF_SLUG}\n"
    )
    push(checkout, configuration)
    push(checkout, configuration + "# again\n")
    first, second = hosted.pipelines()
    assert (first.status, second.status) == ("pending", "waiting_for_resource")
    assert [group.key for group in hosted.core.session.query(ResourceGroup)] == ["production/main"]
