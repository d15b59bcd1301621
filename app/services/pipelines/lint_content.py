"""Check a configuration that is not committed yet, as a pipeline of one of the project's refs would see it."""

from app.dialects.base import Compilation, CompileContext
from app.dialects.registry import DEFAULT_PATH, compile_configuration, compiler_for
from app.domain.errors import LimitExceeded, NotFound
from app.git.objects import Objects
from app.git.repository import Repository
from app.models import Project
from app.services.core import Core

#: The longest file that is included, in bytes (gitlab.md C.0).
FILE_LIMIT = 2 * 1024 * 1024


def lint_content(core: Core, project: Project, content: str, ref: str | None = None) -> Compilation:
    """What the compiler says of `content`. Files that it includes come from the tip of `ref` (the default branch)."""
    path = project.config_path if compiler_for(project.config_path) else DEFAULT_PATH
    name = ref or project.default_branch
    repository = core.repositories.open(project.id)
    found = repository.find(name) if project.repository != "none" else []
    if len(found) != 1 or found[0].commit is None:
        return compile_configuration(path, content, _context(project, name))
    with repository.objects() as objects:
        return compile_configuration(path, content, _context(project, name, found[0].commit, repository, objects))


def _context(
    project: Project, ref: str, sha: str = "", repository: Repository | None = None, objects: Objects | None = None
) -> CompileContext:
    def read(path: str) -> str | None:
        if objects is None:
            return None
        try:
            return objects.read_file(sha, path.lstrip("/"), FILE_LIMIT).decode("utf-8", "replace")
        except (NotFound, LimitExceeded):
            return None

    return CompileContext(
        ref=ref,
        sha=sha,
        source="push",
        default_branch=project.default_branch,
        project_path=project.full_path,
        predefined={"CI_COMMIT_REF_NAME": ref, "CI_COMMIT_BRANCH": ref, "CI_DEFAULT_BRANCH": project.default_branch},
        read_file=read,
        list_files=lambda: repository.list_files(sha) if repository else {},
        render_merged=True,
    )
