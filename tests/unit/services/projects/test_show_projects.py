"""The list of projects."""

from app.models import write
from app.services.core import Core
from app.services.projects.show_projects import show_projects
from tests.factories import make_pipeline, make_project, make_user


def test_a_project_shows_its_newest_pipeline_and_no_child(core: Core) -> None:
    user = make_user(core, "admin", is_admin=True)
    project = make_project(core, "acme/rocket", creator=user)
    make_project(core, "acme/empty", creator=user)
    newest, child = [make_pipeline(core, project, user=user) for _ in range(3)][1:]
    with write(core.session):
        child.source = "parent_pipeline"
    shown = {row.project.full_path: row.latest and row.latest.id for row in show_projects(core, user).rows}
    assert shown == {"acme/empty": None, "acme/rocket": newest.id}
