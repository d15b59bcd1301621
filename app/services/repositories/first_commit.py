"""The first commit of an empty repository, made here: a README."""

from app.domain import refs
from app.git.command import run
from app.git.objects import ZERO_ID
from app.git.receive import RefUpdate
from app.models import Project, User
from app.services.core import Core
from app.services.repositories.move_ref import move_ref


def add_readme(core: Core, project: Project, user: User) -> None:
    """Commit a README.md to the default branch of `project`, which holds nothing yet. Raises NotAllowed, Conflict."""
    folder = core.repositories.path(project.id)
    text = f"# {project.name}\n\n{project.description}".strip() + "\n"
    _, blob = run(folder, ["hash-object", "-w", "--stdin"], stdin=text.encode())
    _, tree = run(folder, ["mktree"], stdin=f"100644 blob {blob.decode().strip()}\tREADME.md\n".encode())
    person = {"NAME": user.name or user.username, "EMAIL": user.email or f"{user.username}@localhost"}
    date = f"{int(core.now().timestamp())} +0000"
    extra = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    extra |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    _, commit = run(folder, ["commit-tree", tree.decode().strip()], stdin=b"Initial commit\n", extra=extra)
    branch = refs.BRANCH_PREFIX + project.default_branch
    move_ref(core, project, user, RefUpdate(branch, ZERO_ID, commit.decode().strip()))
