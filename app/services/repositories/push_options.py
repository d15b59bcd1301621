"""What `git push -o` may ask of the pipelines: ci.skip, ci.no_pipeline, ci.variable="KEY=VALUE" (gitlab.md C.12)."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.plan import Variable
from app.domain.variables import valid_key

#: All options of one push together, in characters.
MAX_LENGTH = 64 * 1024


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What was asked; `ignored` are the options that nobody here understands."""

    skip: bool = False
    no_pipeline: bool = False
    variables: tuple[Variable, ...] = ()
    ignored: tuple[str, ...] = ()


def parse_push_options(options: Iterable[str]) -> PushOptions:
    """Options may be written in any case; a later variable of the same key wins, as everywhere."""
    found: dict[str, str] = {}
    skip = no_pipeline = False
    ignored = []
    for option in options:
        name, _, value = option.partition("=")
        key, separator, content = _unquoted(value).partition("=")
        if name.lower() == "ci.skip":
            skip = True
        elif name.lower() == "ci.no_pipeline":
            no_pipeline = True
        elif name.lower() == "ci.variable" and separator and valid_key(key):
            found[key] = content
        else:
            ignored.append(name)
    variables = tuple(Variable(key, value, public=False) for key, value in found.items())
    return PushOptions(skip, no_pipeline, variables, tuple(ignored))


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
