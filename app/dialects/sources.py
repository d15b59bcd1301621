"""The port by which a compiler gets files that are not of its own repository. Services fill it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol


class Unavailable(Exception):
    """A file is not to be had. The message is a whole sentence for the user, fit to stand for itself."""


class UnknownProject(Unavailable):
    """There is no such project, or whoever starts the pipeline may not read its code: nobody learns which."""


class UnknownRef(Unavailable):
    """The project has no such branch, tag or commit."""


class Unreadable(Unavailable):
    """The file is there, but is no text or too long. The message follows the file's name: "is not UTF-8 text"."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a project at one commit.

    `read_file` gives the text of a file, None where there is none, and raises Unreadable; `list_files` all paths with
    their blob ids. `tag`: the tag by which the commit was chosen, where it was chosen so.
    """

    project: str
    sha: str
    read_file: Callable[[str], str | None]
    list_files: Callable[[], Mapping[str, str]]
    tag: str | None = None


class Sources(Protocol):
    """Files of other projects of this server, and of other servers. Each method raises Unavailable."""

    def tree(self, project: str, ref: str | None, *, anonymous: bool) -> Tree:
        """The project of that full path at a branch, tag or commit id; None: its default branch.

        `anonymous`: what everyone may read is asked for, not what the pipeline's user may. Raises UnknownProject,
        UnknownRef.
        """
        ...

    def component(self, project: str, version: str, *, anonymous: bool) -> Tree:
        """Like `tree`, for a version: `~latest` and `1` or `1.2` mean the highest tag of that kind (semver)."""
        ...

    def remote(self, url: str) -> bytes:
        """What is found at an http or https address. The message begins with "Remote file"."""
        ...


class NoSources:
    """Where there is no server to ask."""

    def tree(self, project: str, ref: str | None, *, anonymous: bool) -> Tree:
        raise Unavailable(f"Project `{project}` cannot be looked up: there is no server to ask here")

    def component(self, project: str, version: str, *, anonymous: bool) -> Tree:
        raise Unavailable(f"Component project `{project}` cannot be looked up: there is no server to ask here")

    def remote(self, url: str) -> bytes:
        raise Unavailable("Remote file cannot be fetched: there is no server to do it here")


@dataclass(frozen=True, slots=True)
class Included:
    """A file that was included: which `type` of include, its `location` as written, and who asked for it.

    `project` and `sha` are where it was found (None: at a URL, or with the server itself); `extra` as in GitLab's lint.
    """

    type: str
    location: str
    context_project: str | None
    context_sha: str | None
    project: str | None = None
    sha: str | None = None
    path: str | None = None
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
