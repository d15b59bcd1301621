"""The paths of groups and projects: what they may look like, and which are taken by our own pages."""

import re

from app.domain.errors import InvalidRequest

#: First segments of our own routes: no user's group may stand in front of them. A test derives this list from the
#: routes.
RESERVED_GROUPS = frozenset(
    {"-", ".well-known", "api", "assets", "candor", "favicon.ico", "groups", "health", "login", "logout", "me", "oauth",
     "project", "projects", "robots.txt", "runner", "runs", "static", "status", "trigger", "users", "v1", "v3",
     "well-known"}
)  # fmt: skip
#: What may follow a repository's address: a project of that name below another one's path would be ambiguous.
RESERVED_ANYWHERE = frozenset({"-", "info", "git-upload-pack", "git-receive-pack"})
MAX_SEGMENTS, MAX_PATH = 20, 1024
_SEGMENT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}")
_RULE = "may hold only letters, digits, '_', '-' and '.', and cannot start with '-' or end in '.', '.git' or '.atom'"


def check_segment(segment: str, field: str) -> None:
    """Raises InvalidRequest unless `segment` can be the path of a group, a project or a user (GitLab's rules)."""
    if not _SEGMENT.fullmatch(segment) or segment.lower().endswith((".", ".git", ".atom")):
        raise InvalidRequest(f"{segment!r} {_RULE}", field)
    if segment.lower() in RESERVED_ANYWHERE:
        raise InvalidRequest(f"{segment!r} is a reserved name", field)


def split_path(full_path: str, field: str = "full_path") -> tuple[str, ...]:
    """The segments of a project's full path, at least a group and a name. Raises InvalidRequest."""
    segments = tuple(full_path.strip("/").split("/"))
    if not 2 <= len(segments) <= MAX_SEGMENTS:
        raise InvalidRequest("a project's path is GROUP/NAME, with subgroups in between if you like", field)
    for segment in segments:
        check_segment(segment, field)
    if segments[0].lower() in RESERVED_GROUPS:
        raise InvalidRequest(f"{segments[0]!r} is a reserved name", field)
    if len("/".join(segments)) > MAX_PATH:
        raise InvalidRequest(f"the path is longer than {MAX_PATH} characters", field)
    return segments
