"""Sources that hold what a test puts into them: the fake beside `app.services.pipelines.sources`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.dialects.sources import Tree, Unavailable, UnknownProject, UnknownRef
from app.domain import versions


def blob(text: str) -> str:
    """The id that git gives a file of this content."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def tree(project: str, sha: str, files: Mapping[str, str]) -> Tree:
    return Tree(project, sha, files.get, lambda: {name: blob(text) for name, text in files.items()})


@dataclass(frozen=True)
class FakeSources:
    """`projects`: by path the files of each ref, the first of which is the default; refs like `1.2.3` are tags.

    `private`: projects that anonymous callers may not read.
    """

    projects: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    remote_files: Mapping[str, str] = field(default_factory=dict)
    private: frozenset[str] = frozenset()

    def tree(self, project: str, ref: str | None, *, anonymous: bool) -> Tree:
        refs = self.projects.get(project)
        if refs is None or (anonymous and project in self.private):
            raise UnknownProject(project)
        name = ref if ref not in (None, "HEAD") else next(iter(refs))
        if name not in refs:
            raise UnknownRef(name)
        return tree(project, f"sha-of-{name}", refs[name])

    def component(self, project: str, version: str, *, anonymous: bool) -> Tree:
        tag = versions.choose(version, self.projects.get(project, {}))
        found = self.tree(project, tag or version, anonymous=anonymous)
        return replace(found, tag=tag)

    def remote(self, url: str) -> bytes:
        if url not in self.remote_files:
            raise Unavailable(f"Remote file `{url}` could not be fetched because of HTTP code `404` error!")
        return self.remote_files[url].encode()
