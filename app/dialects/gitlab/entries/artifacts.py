"""`artifacts`: the archive, and reports of each kind."""

import re
from dataclasses import replace

from app.dialects.gitlab import values
from app.dialects.gitlab.entries import reports
from app.dialects.gitlab.nodes import Mapping, Node, Sequence
from app.dialects.gitlab.report import Report
from app.domain.plan import ArtifactSpec

WHENS = ("on_success", "on_failure", "always")
ACCESSES = ("none", "developer", "all", "maintainer")
_KEYS = ("paths", "exclude", "expire_in", "expose_as", "name", "untracked", "when", "public", "access", "reports")
LONGEST_EXPOSED = 100
_EXPOSED = re.compile(r"\w[-\w ]*", re.ASCII)
_STRING = "should be a string"
_STRINGS = "should be an array of strings"


def artifacts(report: Report, node: Node, path: str) -> tuple[ArtifactSpec, ...] | None:
    """The archive first, where `paths` or `untracked` ask for one."""
    given = values.mapping(report, node, path, _KEYS)
    if given is None:
        return None
    archive = _archive(report, given, path)
    kept = (archive,) if archive.paths or archive.untracked else ()
    kinds = given.get("reports")
    if kinds is None:
        return kept
    found = reports.reports(report, kinds, f"{path}:reports", archive.expire_in)
    return kept + tuple(replace(one, access=archive.access) for one in found)


def _archive(report: Report, node: Mapping, path: str) -> ArtifactSpec:
    name, paths, exclude = node.get("name"), node.get("paths"), node.get("exclude")
    untracked, when, expire_in = node.get("untracked"), node.get("when"), node.get("expire_in")
    return ArtifactSpec(
        paths=(values.texts(report, paths, f"{path} paths", _STRINGS) or ()) if paths else (),
        exclude=(values.texts(report, exclude, f"{path} exclude", _STRINGS) or ()) if exclude else (),
        name=_name(report, name, path) if name else None,
        untracked=bool(
            untracked and values.boolean(report, untracked, f"{path} untracked", "should be a boolean value")
        ),
        when=(values.one_of(report, when, f"{path} when", WHENS) or WHENS[0]) if when else WHENS[0],
        expire_in=values.duration(report, expire_in, f"{path} expire in", never=True) if expire_in else None,
        access=_access(report, node, path),
        expose_as=_expose_as(report, node, path),
    )


def _name(report: Report, node: Node, path: str) -> str | None:
    """An empty name is as if it were not there."""
    return None if values.is_text(node) and not node.value else values.text(report, node, f"{path} name", _STRING)


def _access(report: Report, node: Mapping, path: str) -> str:
    public, access = node.get("public"), node.get("access")
    if public and access:
        both = ", ".join(key for key in node.entries if key in ("public", "access"))
        values.refuse(report, access, path, f"config these keys cannot be used together: {both}")
    if access:
        return values.one_of(report, access, f"{path} access", ACCESSES) or "all"
    if public and values.boolean(report, public, f"{path} public", "should be a boolean value") is False:
        return "developer"
    return "all"


def _expose_as(report: Report, node: Mapping, path: str) -> str | None:
    given = node.get("expose_as")
    if given is None:
        return None
    paths = node.get("paths")
    if paths is None or (isinstance(paths, Sequence) and not paths.items):
        values.refuse(report, paths or given, f"{path} paths", "can't be blank")
    elif isinstance(paths, Sequence) and any(values.is_text(item) and "*" in str(item.value) for item in paths.items):
        values.refuse(report, paths, f"{path} paths", "can't contain '*' when used with 'expose_as'")
    name = values.text(report, given, f"{path} expose as", "should be a string")
    if name and not _EXPOSED.fullmatch(name):
        problem = "can contain only letters, digits, '-', '_' and spaces"
        values.refuse(report, given, f"{path} expose as", problem)
    elif name and len(name) > LONGEST_EXPOSED:
        values.refuse(report, given, f"{path} expose as", f"is too long (maximum is {LONGEST_EXPOSED} characters)")
    return name
