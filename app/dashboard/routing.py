"""The addresses of groups and projects: GitLab's /GROUP/SUBGROUP/NAME, with everything else of a project behind /-/."""

from werkzeug.routing import PathConverter

from app.services.paths import RESERVED_GROUPS

_SEGMENT = r"(?!-(?:/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}(?<!\.git)"
_RESERVED = "|".join(name.replace(".", r"\.") for name in sorted(RESERVED_GROUPS))


class NamespaceConverter(PathConverter):
    """A group or a project: one segment or more. It never matches our own first segments, nor a repository's `.git`."""

    regex = rf"(?!(?:{_RESERVED})(?:/|$)){_SEGMENT}(?:/{_SEGMENT}){{0,20}}"


class ProjectConverter(PathConverter):
    """A project: at least two segments."""

    regex = rf"(?!(?:{_RESERVED})/){_SEGMENT}(?:/{_SEGMENT}){{1,20}}"
