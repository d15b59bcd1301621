"""Pipelines, their commits, schedules, triggers and tests."""

from typing import Any, Literal, NotRequired, TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Status, Time
from app.api.gitlab_v4.openapi.shapes.users import UserBasic


class PipelineBasic(TypedDict):
    """A pipeline, as a job shows its own."""

    id: int
    iid: int
    project_id: int
    sha: str
    ref: str
    status: Status
    source: str
    created_at: Time
    updated_at: Time
    web_url: str


class PipelineListed(PipelineBasic):
    """A pipeline in a list."""

    name: str | None


class DetailedStatus(TypedDict):
    """The status as a page would word it."""

    icon: str
    text: str
    label: str
    group: str
    tooltip: str
    has_details: bool
    details_path: str
    illustration: None
    favicon: None


class Pipeline(PipelineListed):
    """A pipeline by itself."""

    before_sha: str | None
    tag: bool
    yaml_errors: str | None
    user: UserBasic | None
    started_at: Time | None
    finished_at: Time | None
    committed_at: None
    duration: int | None
    queued_duration: int | None
    coverage: str | None
    detailed_status: DetailedStatus
    archived: bool


class GivenVariable(TypedDict):
    """A variable that was given to a pipeline or a schedule."""

    variable_type: Literal["env_var", "file"]
    key: str
    value: str
    raw: bool


class GivenInput(TypedDict):
    """A value that a configuration asks for by name."""

    name: str
    value: Any


class Schedule(TypedDict):
    """A schedule in a list."""

    id: int
    description: str
    ref: str
    cron: str
    cron_timezone: str
    next_run_at: Time | None
    active: bool
    created_at: Time
    updated_at: Time
    owner: UserBasic | None
    inputs: list[GivenInput]


class ScheduleDetails(Schedule):
    """A schedule by itself; its variables are shown to its owner and to maintainers."""

    last_pipeline: PipelineBasic | None
    variables: NotRequired[list[GivenVariable]]


class Trigger(TypedDict):
    """A trigger; its owner sees the whole token."""

    id: int
    description: str
    token: str
    created_at: Time
    updated_at: Time
    deleted_at: None
    last_used: Time | None
    expires_at: Time | None
    owner: UserBasic | None


class TestCase(TypedDict):
    """One test."""

    status: Literal["success", "failed", "skipped", "error"]
    name: str
    classname: str
    file: str | None
    execution_time: float
    system_output: str | None
    stack_trace: None
    recent_failures: None
    attachment_url: None


class TestFigures(TypedDict):
    """How many tests passed, and how long they took in seconds."""

    total_time: float
    total_count: int
    success_count: int
    failed_count: int
    skipped_count: int
    error_count: int


class TestSuite(TestFigures):
    """The tests of one job."""

    name: str
    suite_error: str | None
    test_cases: list[TestCase]


class TestReport(TestFigures):
    """The tests of a pipeline."""

    test_suites: list[TestSuite]


class TestSuiteSummary(TestFigures):
    """The tests of one job, in figures."""

    name: str
    build_ids: list[int]
    suite_error: str | None


class TestTotal(TypedDict):
    """All tests of a pipeline."""

    time: float
    count: int
    success: int
    failed: int
    skipped: int
    error: int
    suite_error: None


class TestSummary(TypedDict):
    """The tests of a pipeline, in figures."""

    total: TestTotal
    test_suites: list[TestSuiteSummary]
