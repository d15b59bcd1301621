"""Names of branches and tags: which git allows, how they look in a URL, and which a pattern protects."""

import re
from dataclasses import dataclass

BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"
#: The name of a default branch, and so of the rule that protects it, has no more characters.
MAX_DEFAULT_BRANCH = 255
_SLUG_LENGTH = 63

# What no ref name may hold anywhere (git-check-ref-format, rules 3, 4, 5, 8 and 10).
_FORBIDDEN = re.compile(r"\.\.|@\{|[\x00-\x20\x7f~^:?*\[\\]")


@dataclass(frozen=True, slots=True)
class Ref:
    """A full ref, taken apart: `kind` is branch, tag or other; `name` is without the prefix of its kind."""

    kind: str
    name: str

    @property
    def is_tag(self) -> bool:
        return self.kind == "tag"


def split(full_name: str) -> Ref:
    """Take `refs/heads/x` or `refs/tags/x` apart; whatever else keeps its whole name and is of kind other."""
    if full_name.startswith(BRANCH_PREFIX):
        return Ref("branch", full_name.removeprefix(BRANCH_PREFIX))
    if full_name.startswith(TAG_PREFIX):
        return Ref("tag", full_name.removeprefix(TAG_PREFIX))
    return Ref("other", full_name)


def is_valid_ref(full_name: str) -> bool:
    """Whether git would take `full_name` (with its `refs/heads/`) as the name of a ref, by `git check-ref-format`."""
    components = full_name.split("/")
    return (
        len(components) > 1
        and not _FORBIDDEN.search(full_name)
        and not full_name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in components)
    )


def is_valid_name(name: str) -> bool:
    """Whether `name` (no prefix) can be a branch or tag: git's rules, and no leading dash as an option would have."""
    return is_valid_ref(BRANCH_PREFIX + name) and not name.startswith("-") and name != "HEAD"


def slug(text: str) -> str:
    """`text` as CI_COMMIT_REF_SLUG has it: lower case, a-z and 0-9 and dashes, at most 63 long, no dash at the ends."""
    return re.sub(r"[^a-z0-9]", "-", text.lower())[:_SLUG_LENGTH].strip("-")


def matches(pattern: str, name: str) -> bool:
    """Whether a protected-ref `pattern` covers the branch or tag `name`. A `*` stands for any text, slashes too."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    *middle, last = rest
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    # Taking each piece where it is first found leaves the most room for the next, so no step is ever taken back.
    for piece in middle:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
