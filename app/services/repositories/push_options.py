"""What `git push -o` may ask of the pipelines (gitlab.md C.12):

ci.skip    ci.no_pipeline    ci.variable="KEY=VALUE"    ci.input="NAME=VALUE"
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.plan import Variable
from app.domain.variables import valid_key

#: All options of one push together, in characters.
MAX_LENGTH = 64 * 1024
#: Options that GitLab knows, and why they come to nothing here.
_ELSEWHERE = {
    "merge_request": "there are no merge requests here",
    "mr": "there are no merge requests here",
    "integrations": "there are no integrations that would run CI here",
    "secret_detection": "pushes are not searched for secrets here",
}


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What was asked; `ignored` are the options that come to nothing, and `notes` a sentence about each.

    `inputs` are (name, text); what type a text is of is said by the configuration.
    """

    skip: bool = False
    no_pipeline: bool = False
    variables: tuple[Variable, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def parse_push_options(options: Iterable[str]) -> PushOptions:
    """Options may be written in any case; a later variable of the same key wins, as everywhere, and so do inputs."""
    variables: dict[str, str] = {}
    inputs: dict[str, str] = {}
    flags: set[str] = set()
    ignored: dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        key, separator, content = _unquoted(value).partition("=")
        known = name.lower()
        if known in ("ci.skip", "ci.no_pipeline"):
            flags.add(known)
        elif known == "ci.variable" and separator and valid_key(key):
            variables[key] = content
        elif known == "ci.input" and separator and key.strip():
            inputs[key.strip()] = content
        else:
            ignored[name] = _reason(name, known)
    return PushOptions(
        skip="ci.skip" in flags,
        no_pipeline="ci.no_pipeline" in flags,
        variables=tuple(Variable(key, value, public=False) for key, value in variables.items()),
        inputs=tuple(inputs.items()),
        ignored=tuple(ignored),
        notes=tuple(ignored.values()),
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
