"""What the administrator's pages are made of, on both databases."""

import pytest

from app.models import Project
from app.services.audit.show_events import AuditFilter, show_events
from app.services.jobs.show_queue import show_queue
from app.services.projects.find_places import find_places
from app.services.projects.measure_usage import measure_usage, show_usage
from app.services.projects.show_board import show_board
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project, make_user, print_trace


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_queue_usage_board_and_audit_log_are_read_in_a_few_queries(core):
    admin = make_user(core, "admin", is_admin=True)
    big, small = make_project(core, "rocks/big", creator=admin), make_project(core, "rocks/small", creator=admin)
    pipeline = make_pipeline(core, big, status="running")
    make_pipeline(core, big, status="failed", ref="other")
    for tags in (["gpu"], ["gpu"], ["arm", "gpu"], []):
        make_job(core, pipeline, status="pending", tags=tags)
    at_work = make_job(core, pipeline, status="running")
    make_job(core, pipeline, status="pending", bridge=True)
    print_trace(core, at_work.id, b"x" * 5000)

    queue = show_queue(core, limit=3)
    assert [(line.tags, line.waiting) for line in queue.lines] == [(["gpu"], 2), ([], 1), (["arm", "gpu"], 1)]
    assert (queue.waiting, queue.running, len(queue.jobs)) == (4, 1, 3)

    assert measure_usage(core) == measure_usage(core) == 2
    usage = show_usage(core, limit=1)
    assert [(row.project.full_path, row.trace_bytes, row.job_count) for row in usage.rows] == [("rocks/big", 5000, 6)]
    assert (usage.projects, usage.artifact_bytes, usage.trace_bytes) == (2, 0, 5000)

    tiles = {
        tile.project.full_path: tile.pipeline.status if tile.pipeline else None for tile in show_board(core, admin)
    }
    assert tiles == {"rocks/big": "running", "rocks/small": None}
    assert show_board(core, None) == []

    places = find_places(core, admin, "ROCKS small")
    assert [project.id for project in places.projects] == [small.id]
    assert find_places(core, admin, f"#{pipeline.id}").pipeline.id == pipeline.id
    assert find_places(core, None, str(pipeline.id)).pipeline is None

    acts = [(event.action, event.place) for event in show_events(core, AuditFilter(place="rocks")).events]
    assert acts == [("project.created", "rocks/small"), ("project.created", "rocks/big")]
    core.session.delete(core.session.get_one(Project, small.id))
    core.session.commit()
    assert len(show_events(core, AuditFilter(place="rocks")).events) == 2, "a row outlives its project"
