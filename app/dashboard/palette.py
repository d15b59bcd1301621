"""What the palette (Ctrl-K) offers: pages, projects, a pipeline or a job by its number."""

from collections.abc import Iterator, Sequence

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import visitor
from app.http.edge import core
from app.models import Project, User
from app.services.projects.find_places import Places, find_places

_OPEN = (
    ("pages.projects", "Projects"),
    ("pages.all_pipelines", "Pipelines"),
    ("pages.all_jobs", "Jobs"),
    ("pages.board", "Wall board"),
)
_SIGNED_IN = (
    ("pages.new_project", "New project"),
    ("pages.new_group", "New group"),
    ("pages.profile", "Your profile"),
    ("pages.sessions", "Your sessions"),
    ("pages.tokens", "Access tokens"),
)
_ADMIN = (
    ("pages.admin_runners", "Runners"),
    ("pages.admin_variables", "CI variables of the installation"),
    ("pages.queue", "Queue"),
    ("pages.storage", "Storage"),
    ("pages.users", "Users"),
    ("pages.admin_audit", "Audit log"),
)
_LONGEST = 200


@pages.get("/-/palette")
def palette() -> ResponseReturnValue:
    """`?q=` what was typed. Answers with links, best first."""
    text, user = request.args.get("q", "").strip()[:_LONGEST], visitor()
    found = find_places(core(), user, text)
    items = [*_numbered(found), *_projects(found.projects, text), *_pages(user, text)]
    return render_template("palette.html", items=items)


def _numbered(found: Places) -> Iterator[tuple[str, str, str]]:
    if found.pipeline:
        path = found.pipeline.project.full_path
        url = url_for("pages.pipeline", path=path, pipeline_id=found.pipeline.id)
        yield f"#{found.pipeline.id} · {path}", "pipeline", url
    if found.job:
        path = found.job.project.full_path
        yield (
            f"{found.job.name} (#{found.job.id}) · {path}",
            "job",
            url_for("pages.job", path=path, job_id=found.job.id),
        )


def _projects(found: Sequence[Project], text: str) -> Iterator[tuple[str, str, str]]:
    """Each project; of the only one its pipelines too."""
    for project in found:
        yield project.full_path, "project", url_for("pages.project", path=project.full_path)
    if text and len(found) == 1:
        path = found[0].full_path
        yield f"Pipelines of {path}", "page", url_for("pages.pipelines", path=path)


def _pages(user: User | None, text: str) -> Iterator[tuple[str, str, str]]:
    known = _OPEN + (_SIGNED_IN if user else ()) + (_ADMIN if user and user.is_admin else ())
    for endpoint, title in known:
        if all(word in title.lower() for word in text.lower().split()):
            yield title, "page", url_for(endpoint)
