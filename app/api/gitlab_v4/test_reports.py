"""What the tests of a pipeline said."""

from typing import Any

from app.api.gitlab_v4.endpoint import READERS, Call, Routes
from app.api.gitlab_v4.entities import test_reports as entities
from app.domain.permissions import Action
from app.models import Pipeline
from app.services.pipelines.search_pipelines import find_pipeline
from app.services.reports.show_tests import suites_of

routes = Routes()


@routes.get("/projects/<id>/pipelines/<pipeline_id>/test_report", callers=READERS)
def get_test_report(call: Call) -> dict[str, Any]:
    """Get the tests of a pipeline, case by case"""
    return entities.report(suites_of(call.core, _pipeline(call), with_cases=True))


@routes.get("/projects/<id>/pipelines/<pipeline_id>/test_report_summary", callers=READERS)
def get_test_report_summary(call: Call) -> dict[str, Any]:
    """Get the tests of a pipeline in figures"""
    return entities.summary(suites_of(call.core, _pipeline(call)))


def _pipeline(call: Call) -> Pipeline:
    return find_pipeline(call.core, call.project(Action.READ_JOB), call.params["pipeline_id"])
