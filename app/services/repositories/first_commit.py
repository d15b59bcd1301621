"""The first commit of an empty repository, made here: a README."""

from app.models import Project, User
from app.services.core import Core
from app.services.repositories.commit_files import FileAction, commit_files


def add_readme(core: Core, project: Project, user: User) -> None:
    """Commit a README.md to the default branch of `project`, which holds nothing yet. Raises NotAllowed, Conflict."""
    text = f"# {project.name}\n\n{project.description}".strip() + "\n"
    action = FileAction("create", "README.md", text.encode())
    commit_files(core, project, user, branch=project.default_branch, message="Initial commit\n", actions=[action])
