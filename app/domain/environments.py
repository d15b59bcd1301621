"""Environments: which names they may have, how these look in an address, what they are for, and which variables count
for them (gitlab.md C.2, A.8).
"""

import hashlib
import re

MOST_CHARACTERS = 255
NAME_RULE = (
    "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, "
    "but it cannot start or end with '/'"
)
ACTIONS = ("start", "stop", "prepare", "verify", "access")
TIERS = ("production", "staging", "testing", "development", "other")
AVAILABLE, STOPPING, STOPPED = "available", "stopping", "stopped"
STATES = (AVAILABLE, STOPPING, STOPPED)

_NAME = re.compile(r"[a-zA-Z0-9_\-${}. ](?:[a-zA-Z0-9_/\-${}. ]*[a-zA-Z0-9_\-${}. ])?")
_SLUG_LENGTH = 24
_HEAD_LENGTH = 17
_SUFFIX_LENGTH = 6
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIER_WORDS = (
    ("development", re.compile(r"dev|review|trunk", re.IGNORECASE)),
    ("testing", re.compile(r"test|tst|int|ac(?:ce|)pt|qa|qc|control|quality", re.IGNORECASE)),
    ("staging", re.compile(r"st(?:a|)g|mod(?:e|)l|pre|demo|non", re.IGNORECASE)),
    ("production", re.compile(r"pr(?:o|)d|live", re.IGNORECASE)),
)


def is_valid_name(name: str) -> bool:
    """Whether an environment may be called `name`."""
    return len(name) <= MOST_CHARACTERS and _NAME.fullmatch(name) is not None


def slug(name: str) -> str:
    """`name` as CI_ENVIRONMENT_SLUG: at most 24 of a-z, 0-9 and dashes, a letter first; a name that had to change for
    that gets an ending of its own, so that two names never share a slug by accident.
    """
    text = re.sub(r"[^a-z0-9]", "-", name.lower())
    if not re.match(r"[a-z]", text):
        text = f"env-{text}"
    text = re.sub(r"-+", "-", text)[:_SLUG_LENGTH].removesuffix("-")
    if text == name:
        return text
    head = text[:_HEAD_LENGTH]
    return f"{head}{'' if head.endswith('-') else '-'}{_suffix(name)}"


def _suffix(name: str) -> str:
    number, digits = int(hashlib.sha256(name.encode()).hexdigest(), 16), ""
    for _ in range(_SUFFIX_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def guess_tier(name: str) -> str:
    """What an environment of this name is probably for."""
    return next((tier for tier, words in _TIER_WORDS if words.search(name)), "other")


def folder(name: str) -> str:
    """The part of `review/a/b` before the first slash; the name itself where it has none."""
    return name.partition("/")[0]


def scope_matches(scope: str, name: str | None) -> bool:
    """Whether a variable of this environment scope counts for the environment `name` (None: a job without one)."""
    if scope == "*":
        return True
    if name is None:
        return False
    first, *rest = scope.split("*")
    if not rest:
        return scope == name
    *middle, last = rest
    if not name.startswith(first):
        return False
    place = len(first)
    for part in middle:
        found = name.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return name.endswith(last) and len(name) - len(last) >= place


def scope_rank(scope: str) -> tuple[int, int]:
    """How exactly a scope that matches means its environment: `*` least, then patterns by length, then the name."""
    if scope == "*":
        return (0, 0)
    return (1 if "*" in scope else 2, len(scope))
