"""The first commit of an empty repository, made here: a README, or a pipeline to start from with what it runs."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from app.domain.errors import Conflict, InvalidRequest
from app.models import Project, User
from app.services.core import Core
from app.services.repositories.commit_files import FileAction, commit_files

_FOLDER = Path(__file__).parent / "starters"
#: In a starter's folder the configuration has this name, so that nothing takes it for one of this repository.
_CONFIGURATION = "gitlab-ci.yml"
#: The folders below starters/, and what each is, in the order in which people are offered them.
STARTERS: Mapping[str, str] = MappingProxyType(
    {
        "hello": "Hello: one job that says so",
        "shell": "Shell: build, test and deploy, handed on as artifacts",
        "python": "Python: unit tests, in an image from a registry",
        "node": "Node.js: unit tests, in an image from a registry",
    }
)


def is_empty(core: Core, project: Project) -> bool:
    """Whether `project` has a repository of its own here that holds no branch yet."""
    return project.repository == "hosted" and not core.repositories.open(project.id).branches()


def add_readme(core: Core, project: Project, user: User) -> None:
    """Commit a README.md to the default branch of `project`, which holds nothing yet. Raises NotAllowed, Conflict."""
    text = f"# {project.name}\n\n{project.description}".strip() + "\n"
    action = FileAction("create", "README.md", text.encode())
    commit_files(core, project, user, branch=project.default_branch, message="Initial commit\n", actions=[action])


def check_starter(name: str) -> None:
    """Raises InvalidRequest unless `name` is one of STARTERS."""
    if name not in STARTERS:
        raise InvalidRequest(f"is one of {', '.join(STARTERS)}", "starter")


def add_starter(core: Core, project: Project, user: User, name: str) -> None:
    """Commit the starter `name` to the default branch of `project`; the first pipeline runs as after a push.

    Raises InvalidRequest, NotAllowed, NotFound, and Conflict where the repository holds something already.
    """
    check_starter(name)
    if project.repository == "hosted" and not is_empty(core, project):
        raise Conflict("the repository holds commits already; push a configuration to it")
    actions = [FileAction("create", path, content) for path, content in _files(name, project.config_path).items()]
    message = f"Start with a pipeline\n\n{STARTERS[name]}.\n"
    commit_files(core, project, user, branch=project.default_branch, message=message, actions=actions)


def _files(name: str, config_path: str) -> dict[str, bytes]:
    folder = _FOLDER / name
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        config_path if relative == _CONFIGURATION else relative: path.read_bytes()
        for relative, path in found.items()
        if "__pycache__" not in path.parts
    }
