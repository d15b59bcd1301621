"""The runs of all projects that somebody may look at, newest first."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, or_

from app.domain.search import Search
from app.models import Project, User
from app.services.core import Core
from app.services.key_pages import NEWEST, Cursor
from app.services.pipelines.show_pipelines import PAGE, PipelineList, listed
from app.services.projects.readable_pipelines import readable_pipelines
from app.services.runs.newest_runs import newest_runs
from app.services.runs.search_runs import parse_search


def runs_everywhere(
    core: Core, user: User | None, *, search: str = "", cursor: Cursor = NEWEST, limit: int = PAGE
) -> PipelineList:
    """The runs that `search` finds (`domain.search`; `repo:` takes a project's name or path), children of others left
    out. Raises InvalidRequest as `search_runs.latest_run`.
    """
    wanted = parse_search(search)
    projects = readable_pipelines(core, user).where(*named(wanted.repositories))
    return listed(core, newest_runs(core, projects, wanted, cursor, limit + 1), cursor, limit)


def newest_everywhere(core: Core, user: User | None, most: int) -> list[int]:
    """The ids of the newest of those runs, at most so many."""
    return newest_runs(core, readable_pipelines(core, user), Search(), NEWEST, most)


def named(names: Iterable[str]) -> Iterable[ColumnElement[bool]]:
    """What holds of a project that has all of these `names`: its own or its full path, in any case."""
    for name in names:
        yield or_(func.lower(Project.path) == name.lower(), func.lower(Project.full_path) == name.lower())
