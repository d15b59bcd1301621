"""The addresses of groups and projects: GitLab's /GROUP/SUBGROUP/NAME, with everything else of a project behind /-/."""

from typing import Any

from flask import request
from werkzeug.routing import IntegerConverter, Map, PathConverter

from app.services.projects.paths import RESERVED_GROUPS

_SEGMENT = r"(?!-(?:/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}(?<!\.git)"
_RESERVED = "|".join(name.replace(".", r"\.") for name in sorted(RESERVED_GROUPS))


class NamespaceConverter(PathConverter):
    """A group or a project: one segment or more. It never matches our own first segments, nor a repository's `.git`."""

    regex = rf"(?!(?:{_RESERVED})(?:/|$)){_SEGMENT}(?:/{_SEGMENT}){{0,20}}"


class ProjectConverter(PathConverter):
    """A project: at least two segments."""

    regex = rf"(?!(?:{_RESERVED})/){_SEGMENT}(?:/{_SEGMENT}){{1,20}}"


#: The largest key of a row. A larger number is the key of nothing, and no database takes it.
LARGEST_KEY = 2**63 - 1


class KeyConverter(IntegerConverter):
    """The key of a row."""

    def __init__(self, url_map: Map, **given: Any) -> None:
        super().__init__(url_map, max=LARGEST_KEY, **given)


def key_argument(name: str) -> int | None:
    """The key in the query string, None where there is none or it makes no sense."""
    text = request.args.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return number if number is not None and number <= LARGEST_KEY else None
