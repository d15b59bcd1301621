"""Files of other projects and servers that a configuration asks for: the port of `dialects.sources`, filled.

Deny first: a project is read only where whoever starts the pipeline may read its code.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from app.dialects.sources import Tree, Unavailable, UnknownProject, UnknownRef, Unreadable
from app.domain import versions
from app.domain.errors import LimitExceeded, NotFound
from app.domain.permissions import Action
from app.git.command import GitFailed
from app.git.objects import Objects, is_object_id
from app.git.repository import Repository
from app.models import Project, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.fetch_remote import Reach, fetch_remote

#: The longest configuration file, included ones too (gitlab.md C.0), in bytes.
FILE_LIMIT = 2 * 1024 * 1024
#: All files of one configuration have to be there after so many seconds (gitlab.md C.12).
BUDGET = 30.0
#: No more than so many repositories are held open at once.
MOST_OPEN = 8
_HEAD = "HEAD"
_SHORT_ID = re.compile(r"[0-9a-f]{7,39}")
_TIMED_OUT = "Request timed out when fetching configuration files."


@contextmanager
def configuration_sources(core: Core, user: User | None) -> Iterator["ConfigurationSources"]:
    """Sources for one compilation in the name of `user`, who may be nobody."""
    with ExitStack() as stack:
        yield ConfigurationSources(core, user, stack)


def reader(objects: Objects, sha: str) -> Callable[[str], str | None]:
    """A function that gives the text of a file of the commit `sha`; None where there is none. Raises Unreadable."""

    def read(path: str) -> str | None:
        try:
            return objects.read_file(sha, path.lstrip("/"), FILE_LIMIT).decode()
        except NotFound:
            return None
        except LimitExceeded:
            raise Unreadable(f"is larger than {FILE_LIMIT} bytes") from None
        except UnicodeDecodeError:
            raise Unreadable("is not UTF-8 text") from None
        except GitFailed as error:
            raise Unreadable(f"cannot be read: {error}") from error

    return read


class ConfigurationSources:
    """Each thing is looked up once. Use only within `configuration_sources`, which closes what this opens."""

    def __init__(self, core: Core, user: User | None, stack: ExitStack) -> None:
        self._core = core
        self._user = user
        self._stack = stack
        self._deadline = time.monotonic() + BUDGET
        self._projects: dict[tuple[str, bool], Project | None] = {}
        self._trees: dict[tuple[int, str], Tree] = {}
        self._remote: dict[str, bytes] = {}
        self._open: OrderedDict[int, tuple[ExitStack, Objects]] = OrderedDict()

    def tree(self, project: str, ref: str | None, *, anonymous: bool) -> Tree:
        """See `dialects.sources.Sources`."""
        found = self._project(project, anonymous)
        name = found.default_branch if ref is None or ref == _HEAD else ref
        known = self._trees.get((found.id, name))
        if known is None:
            known = self._trees[found.id, name] = self._new_tree(found, name)
        return known

    def component(self, project: str, version: str, *, anonymous: bool) -> Tree:
        """See `dialects.sources.Sources`."""
        found = self._project(project, anonymous)
        try:
            tag = versions.choose(version, [tag.name for tag in self._repository(found).tags()])
        except GitFailed as error:
            raise Unavailable(f"The versions of `{project}` cannot be listed: {error}") from error
        if tag is None and version == versions.LATEST:
            raise UnknownRef(version)
        tree = self.tree(project, tag or version, anonymous=anonymous)
        return replace(tree, tag=tag)

    def remote(self, url: str) -> bytes:
        """See `dialects.sources.Sources`. No connection to the database is held meanwhile."""
        self._check_time()
        if url not in self._remote:
            config = self._core.config
            if not config.remote_includes:
                raise Unavailable(f"Remote file `{url}` could not be fetched because this server does not fetch any!")
            self._core.session.rollback()
            reach = Reach(config.remote_include_networks, self._deadline)
            self._remote[url] = fetch_remote(url, reach, FILE_LIMIT)
        return self._remote[url]

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise Unavailable(_TIMED_OUT)

    def _project(self, path: str, anonymous: bool) -> Project:
        self._check_time()
        key = (path.lower(), anonymous)
        if key not in self._projects:
            self._projects[key] = self._find(path, None if anonymous else self._user)
        found = self._projects[key]
        if found is None:
            raise UnknownProject(f"Project `{path}` not found or access denied!")
        return found

    def _find(self, path: str, user: User | None) -> Project | None:
        """The project of a full path, where `user` may read its code; a number is no path."""
        try:
            project = access.find_project(self._core, path, user) if "/" in path else None
        except NotFound:
            return None
        return project if project and access.may(self._core, Action.READ_CODE, user, project) else None

    def _repository(self, project: Project) -> Repository:
        if project.repository == "none":
            raise UnknownRef("the project has no repository")
        return self._core.repositories.open(project.id)

    def _new_tree(self, project: Project, name: str) -> Tree:
        repository, project_id, path = self._repository(project), project.id, project.full_path
        sha = self._commit(repository, name)
        if sha is None:
            raise UnknownRef(name)

        def read(file: str) -> str | None:
            self._check_time()
            return reader(self._objects(project_id, repository), sha)(file)

        files: list[dict[str, str]] = []

        def list_files() -> dict[str, str]:
            self._check_time()
            try:
                if not files:
                    files.append(repository.list_files(sha))
            except GitFailed as error:
                raise Unavailable(f"The files of `{path}` cannot be listed: {error}") from error
            return files[0]

        return Tree(path, sha, read, list_files)

    def _commit(self, repository: Repository, name: str) -> str | None:
        """The commit that a tag, a branch or an id means; an id may be short, of 7 digits at least."""
        try:
            # A tag counts before a branch of the same name, as everywhere in git.
            found = next((ref.commit for ref in reversed(repository.find(name))), None)
            if found is None and (is_object_id(name) or _SHORT_ID.fullmatch(name)):
                with repository.objects() as objects:
                    found = objects.resolve(f"{name}^{{commit}}")
        except (GitFailed, NotFound):
            return None
        return found

    def _objects(self, project_id: int, repository: Repository) -> Objects:
        """A repository's objects, kept open for the next file."""
        if project_id in self._open:
            self._open.move_to_end(project_id)
            return self._open[project_id][1]
        if len(self._open) >= MOST_OPEN:
            self._open.popitem(last=False)[1][0].close()
        own = self._stack.enter_context(ExitStack())
        objects = own.enter_context(repository.objects())
        self._open[project_id] = (own, objects)
        return objects
