"""How a query of the search language may go on: what its last word begins, completed from what there is."""

from collections.abc import Iterable

from sqlalchemy import func, or_, select

from app.domain.search import State
from app.models import Pipeline, Project, User
from app.services.core import Core
from app.services.projects.readable_pipelines import readable_pipelines
from app.services.runs.runs_everywhere import newest_everywhere

MOST = 8
#: Branches are those of so many runs, the newest.
RECENT, RECENT_EVERYWHERE = 500, 100
#: What the pages call a run's or a job's status, and the language takes too.
STATUSES = ("running", "pending", "passed", "failed", "canceled", "skipped", "manual", "scheduled")
RUN_STATUSES = ("running", "pending", "passed", "failed", "canceled", "bad_configuration", "runner_error")
_FILTERS = ("status:", "branch:", "repo:", "id:")


def suggest_searches(
    core: Core, user: User | None, text: str, *, project: Project | None = None, jobs: bool = False
) -> list[str]:
    """Whole queries that begin with `text`: of the runs or `jobs` of `project`, which `user` may read; None: of all
    projects that they may.
    """
    if text.count('"') % 2:
        return []  # inside a quotation anything may come
    before, word = _last_word(text)
    name, colon, begun = word.partition(":")
    if not colon:
        kinds = [each for each in _FILTERS if project is None or each != "repo:"]
        return [before + each for each in (*kinds, *State) if each.startswith(word.lower())][:MOST]
    if name.lower() == "status":
        values: Iterable[str] = STATUSES if jobs else RUN_STATUSES
    elif name.lower() == "branch":
        values = _branches(core, user, project)
    elif name.lower() == "repo" and project is None:
        values = _repositories(core, user, begun)
    else:
        return []
    fits = (value for value in values if value.lower().startswith(begun.lower()) and value != begun)
    return [f"{before}{name}:{_quoted(value)}" for value in fits][:MOST]


def _last_word(text: str) -> tuple[str, str]:
    """What stands before the word that is being written, and that word."""
    start = max((text.rfind(blank) for blank in " \t\n"), default=-1) + 1
    return text[:start], text[start:]


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character.isspace() for character in value) else value


def _branches(core: Core, user: User | None, project: Project | None) -> Iterable[str]:
    """The newest first."""
    query = select(Pipeline.ref).where(Pipeline.tag.is_(False)).order_by(Pipeline.id.desc())
    if project is not None:
        query = query.where(Pipeline.project_id == project.id).limit(RECENT)
    else:
        query = query.where(Pipeline.id.in_(newest_everywhere(core, user, RECENT_EVERYWHERE)))
    return dict.fromkeys(core.session.scalars(query))


def _repositories(core: Core, user: User | None, begun: str) -> Iterable[str]:
    paths = (func.lower(Project.path), func.lower(Project.full_path))
    query = select(Project.full_path).where(Project.id.in_(readable_pipelines(core, user)))
    begins = or_(*(path.startswith(begun.lower(), autoescape=True) for path in paths))
    for full_path in core.session.scalars(query.where(begins).order_by(paths[1]).limit(MOST)):
        yield full_path if full_path.lower().startswith(begun.lower()) else full_path.rpartition("/")[2]
