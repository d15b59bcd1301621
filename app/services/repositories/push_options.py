"""What `git push -o` may ask of the pipelines (gitlab.md C.12):

ci.skip    ci.no_pipeline    ci.variable="KEY=VALUE"    ci.input="NAME=VALUE"
merge_request.create    merge_request.target=BRANCH    and what describes the merge request
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.plan import Variable
from app.domain.variables import valid_key

#: All options of one push together, in characters.
MAX_LENGTH = 64 * 1024
_MERGE_REQUEST = "merge_request"
#: Options that GitLab knows, and why they come to nothing here.
_ELSEWHERE = {
    _MERGE_REQUEST: "nobody merges, reviews or assigns merge requests here, they only run pipelines",
    "integrations": "there are no integrations that would run CI here",
    "secret_detection": "pushes are not searched for secrets here",
}

_OF_MERGE_REQUESTS = frozenset(
    f"{_MERGE_REQUEST}.{word}" for word in ("create", "target", "title", "description", "draft", "label")
)


@dataclass(frozen=True, slots=True)
class AskedMergeRequest:
    """The merge request that a push asks for. None: nothing was said, and what was said before stays."""

    target: str | None = None
    title: str | None = None
    description: str | None = None
    draft: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What was asked; `ignored` are the options that come to nothing, and `notes` a sentence about each.

    `inputs` are (name, text); what type a text is of is said by the configuration.
    """

    skip: bool = False
    no_pipeline: bool = False
    variables: tuple[Variable, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    merge_request: AskedMergeRequest | None = None
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def parse_push_options(options: Iterable[str]) -> PushOptions:
    """Options may be written in any case; a later variable of the same key wins, as everywhere, and so do inputs."""
    variables: dict[str, str] = {}
    inputs: dict[str, str] = {}
    flags: set[str] = set()
    wanted: dict[str, list[str]] = {}
    ignored: dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        key, separator, content = _unquoted(value).partition("=")
        known = _full_name(name)
        if known in ("ci.skip", "ci.no_pipeline"):
            flags.add(known)
        elif known == "ci.variable" and separator and valid_key(key):
            variables[key] = content
        elif known == "ci.input" and separator and key.strip():
            inputs[key.strip()] = content
        elif known in _OF_MERGE_REQUESTS:
            wanted.setdefault(known.partition(".")[2], []).append(_unquoted(value))
        else:
            ignored[name] = _reason(name, known)
    if wanted and "create" not in wanted:
        ignored[_MERGE_REQUEST] = (
            "What describes a merge request was ignored: to ask for its pipeline, that takes merge_request.create."
        )
    return PushOptions(
        skip="ci.skip" in flags,
        no_pipeline="ci.no_pipeline" in flags,
        variables=tuple(Variable(key, value, public=False) for key, value in variables.items()),
        inputs=tuple(inputs.items()),
        merge_request=_merge_request(wanted) if "create" in wanted else None,
        ignored=tuple(ignored),
        notes=tuple(ignored.values()),
    )


def _full_name(name: str) -> str:
    """The name of an option as it is known here: in any case, and `mr.` for merge requests."""
    known = name.lower()
    return f"{_MERGE_REQUEST}{known[2:]}" if known.startswith("mr.") else known


def _merge_request(wanted: dict[str, list[str]]) -> AskedMergeRequest:
    def last(name: str) -> str | None:
        return next((value for value in reversed(wanted.get(name, [])) if value), None)

    return AskedMergeRequest(
        target=last("target"),
        title=last("title"),
        description=last("description"),
        draft="draft" in wanted,
        labels=tuple(dict.fromkeys(label for label in wanted.get("label", ()) if label)),
    )


def _reason(name: str, known: str) -> str:
    """Why an option comes to nothing. Its value is not repeated: it may be a secret."""
    if known == "ci.variable":
        return "The push option 'ci.variable' was ignored: it has to look like ci.variable=\"KEY=value\"."
    if known == "ci.input":
        return "The push option 'ci.input' was ignored: it has to look like ci.input=\"name=value\"."
    elsewhere = _ELSEWHERE.get(known.partition(".")[0])
    if elsewhere and "." in known:
        return f"The push option {name!r} was ignored: {elsewhere}."
    return f"The push option {name!r} is not known here and was ignored."


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
