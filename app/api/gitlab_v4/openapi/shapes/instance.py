"""What the server says of itself, and of configurations."""

from typing import Any, NotRequired, TypedDict


class Version(TypedDict):
    """The version of the API that is spoken, and of this server."""

    version: str
    revision: str


#: By this form because two of its names are written as no attribute is.
Agents = TypedDict(  # noqa: UP013
    "Agents",
    {"enabled": bool, "externalUrl": None, "externalK8sProxyUrl": None, "version": None},
)


class Metadata(Version):
    """The version, and what else the server offers."""

    kas: Agents
    enterprise: bool


class LintInclude(TypedDict):
    """A file that was included."""

    type: str
    location: str
    blob: str | None
    raw: str | None
    extra: dict[str, Any]
    context_project: str | None
    context_sha: str | None


class LintNeed(TypedDict):
    """A job that another one waits for."""

    name: str
    artifacts: bool


#: By this form because a name of it is a keyword of Python's.
LintJob = TypedDict(
    "LintJob",
    {
        "name": str,
        "stage": str,
        "before_script": list[str],
        "script": list[str],
        "after_script": list[str],
        "tag_list": list[str],
        "environment": None,
        "when": str,
        "allow_failure": bool,
        "needs": list[LintNeed] | None,
        "only": None,
        "except": None,
    },
)


class Lint(TypedDict):
    """What a configuration would do, and what is wrong with it."""

    valid: bool
    errors: list[str]
    warnings: list[str]
    merged_yaml: str | None
    includes: list[LintInclude]
    jobs: NotRequired[list[LintJob]]
