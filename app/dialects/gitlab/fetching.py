"""From the place of an included file to its text: each kind of `include` has its own way (gitlab.md C.1, C.12)."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from app.dialects.base import CompileContext
from app.dialects.gitlab import patterns, templates
from app.dialects.gitlab.locations import Location, shown
from app.dialects.gitlab.variables import Expander, Known, masked
from app.dialects.sources import Included, Tree, Unavailable, UnknownProject, UnknownRef, Unreadable

_TEMPLATE_SUFFIX = ".gitlab-ci.yml"
_HEAD = "HEAD"
_YAML_KINDS = ("local", "project", "remote", "template")
_EXTENSION = re.compile(r"[^/]\.(?:yml|yaml)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an included file may use: files of `tree` (None: it is of no project), variables, its component's data.

    `prefix` comes before the names of its files in messages.
    """

    tree: Tree | None
    known: Known
    prefix: str = ""
    component: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_anonymous(self) -> bool:
        """Nobody answers for what a file of no project includes, so it gets what everyone may read."""
        return self.tree is None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file: its text, its name in messages, and the scope of what it includes in turn."""

    name: str
    text: str
    scope: Scope
    included: Included


class Refused(Exception):
    """The file is not to be had; the message says why."""


class Fetcher:
    """Gets files. Each is refused by `Refused`, in words that name no masked variable."""

    def __init__(self, context: CompileContext) -> None:
        self._context = context
        self._nowhere = Scope(None, Known({}, (), Expander()))

    def fetch(self, place: Location, scope: Scope) -> Fetched:
        """The file at `place`, which a file of `scope` includes. Raises Refused."""
        if place.kind in _YAML_KINDS and not _EXTENSION.search(place.path):
            raise Refused(f"Included file `{self.shown(place.path)}` does not have YAML extension!")
        try:
            return _FETCH[place.kind](self, place, scope)
        except Unavailable as wrong:
            raise Refused(self.shown(str(wrong))) from None

    def shown(self, text: str) -> str:
        """`text` as it may stand in a message."""
        return shown(masked(text, self._context))

    def _local(self, place: Location, scope: Scope) -> Fetched:
        path, name = place.path.lstrip("/"), self.shown(place.path.lstrip("/"))
        if scope.tree is None:
            raise Refused(f"Local file `{name}` does not have project!")
        text = _read(scope.tree, path, f"Local file `{name}`")
        included = self._included(place, scope, scope.tree, path)
        return Fetched(scope.prefix + name, text, scope, included)

    def _project(self, place: Location, scope: Scope) -> Fetched:
        project, ref = self.shown(place.project.lower()), self.shown(place.ref or _HEAD)
        try:
            tree = self._context.sources.tree(place.project, place.ref, anonymous=scope.is_anonymous)
        except UnknownProject:
            reason = "Make sure any includes in the pipeline configuration are correctly defined."
            raise Refused(f"Project `{project}` not found or access denied! {reason}") from None
        except UnknownRef:
            raise Refused(f"Project `{project}` reference `{ref}` does not exist!") from None
        path = self.shown(place.path)
        text = _read(tree, place.path, f"Project `{project}` file `{path}`")
        inner = Scope(tree, scope.known, f"{project}:")
        included = self._included(place, scope, tree, place.path, {"project": project, "ref": ref})
        return Fetched(f"{project}:{path}", text, inner, included)

    def _remote(self, place: Location, scope: Scope) -> Fetched:
        url = self.shown(place.path)
        content = self._context.sources.remote(place.path)
        if place.digest is not None and hashlib.sha256(content).digest() != place.digest:
            raise Refused(f"Remote file `{url}` failed the integrity check: its SHA-256 is not the one of `integrity`")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise Refused(f"Remote file `{url}` is not UTF-8 text") from None
        return self._outside(place, scope, url, text)

    def _template(self, place: Location, scope: Scope) -> Fetched:
        name = self.shown(place.path)
        if not place.path.endswith(_TEMPLATE_SUFFIX):
            raise Refused(f"Template file `{name}` is not a valid location!")
        text = templates.read(place.path)
        if text is None:
            known = ", ".join(f"`{found}`" for found in templates.names())
            raise Refused(f"Included file `{name}` is empty or does not exist! The templates here are: {known}")
        return self._outside(place, scope, name, text)

    def _outside(self, place: Location, scope: Scope, name: str, text: str) -> Fetched:
        """A file of no project."""
        if not text.strip():
            raise Refused(f"Included file `{name}` is empty or does not exist!")
        return Fetched(name, text, self._nowhere, self._included(place, scope, None, None))

    def _component(self, place: Location, scope: Scope) -> Fetched:
        address = self.shown(place.path)
        if scope.tree is None:
            raise Refused("Unable to use components outside of a project context")
        project, name, version = self._address(place.path, address)
        try:
            tree = self._context.sources.component(project, version, anonymous=scope.is_anonymous)
        except UnknownProject:
            reason = "project does not exist or you don't have sufficient permissions"
            raise Refused(f"Component '{address}' - {reason}") from None
        except UnknownRef:
            raise Refused(f"Component '{address}' - content not found") from None
        path, text = _component_file(tree, name, address)
        data = {"name": name, "sha": tree.sha, "version": tree.tag, "reference": version}
        inner = Scope(tree, scope.known, f"{self.shown(project)}:", data)
        return Fetched(address, text, inner, self._included(place, scope, tree, path))

    def _address(self, path: str, address: str) -> tuple[str, str, str]:
        """Project, component and version of `HOST/group/project/name@version`."""
        host = self._context.predefined.get("CI_SERVER_FQDN", "")
        where, at, version = path.partition("@")
        if not host or not at or not where.startswith(f"{host}/"):
            raise Refused(f"Component '{address}' - the component path is not supported")
        project, _, name = where.removeprefix(f"{host}/").rpartition("/")
        if not project or not name or not version or project.startswith("/"):
            raise Refused(f"Component '{address}' - content not found")
        return project, name, version

    def _artifact(self, place: Location, scope: Scope) -> Fetched:
        raise Refused("Including configs from artifacts is only allowed when triggering child pipelines")

    def _included(
        self,
        place: Location,
        scope: Scope,
        tree: Tree | None,
        path: str | None,
        extra: Mapping[str, object] | None = None,
    ) -> Included:
        asker = scope.tree
        return Included(
            "file" if place.kind == "project" else place.kind,
            self.shown(place.path.lstrip("/") if place.kind == "local" else place.path),
            asker.project if asker else None,
            asker.sha if asker else None,
            self.shown(tree.project) if tree else None,
            tree.sha if tree else None,
            None if path is None else self.shown(path),
            extra or {},
        )


_FETCH: Mapping[str, Callable[[Fetcher, Location, Scope], Fetched]] = {
    "local": Fetcher._local,
    "project": Fetcher._project,
    "remote": Fetcher._remote,
    "template": Fetcher._template,
    "component": Fetcher._component,
    "artifact": Fetcher._artifact,
}


def _read(tree: Tree, path: str, name: str) -> str:
    """The text of a file that is there and holds something."""
    try:
        text = tree.read_file(path)
    except Unreadable as wrong:
        raise Refused(f"{name} {wrong}") from None
    if text is None:
        raise Refused(f"{name} does not exist!")
    if not text.strip():
        raise Refused(f"{name} is empty!")
    return text


def _component_file(tree: Tree, name: str, address: str) -> tuple[str, str]:
    """Path and text of a component: one file, or a folder with a `template.yml`."""
    for path in (f"templates/{name}.yml", f"templates/{name}/template.yml"):
        try:
            text = tree.read_file(path)
        except Unreadable as wrong:
            raise Refused(f"Component '{address}' {wrong}") from None
        if text is not None and text.strip():
            return path, text
    raise Refused(f"Component '{address}' - content not found")


def matching(tree: Tree, pattern: str) -> list[str]:
    """All files that a path with wildcards means: `*` stays within a folder, `**` does not."""
    within = ("[^/]*".join(map(patterns.escape, part.split("*"))) for part in pattern.lstrip("/").split("**"))
    matches = patterns.searcher(f"^{'.*'.join(within)}$", "s")
    return sorted(path for path in tree.list_files() if matches(path))


def at(place: Location, path: str) -> Location:
    """The same place for one of the files that its wildcards mean."""
    return replace(place, path=path)
