"""The search language of runs: LayerCI's (layerci.md B.2), the same in its API and in the pages' search box.

    text "exact text" -without repo:name branch:main id:10 status:succeeded running done failed

Everything that stands in a query holds at once, so a query may contradict itself, and then finds nothing. Whatever is
no filter is text: `parse` takes every text there is.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """A word by itself that asks for a state: RUNNING has not ended, DONE has, FAILED has suffered a failure."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Search:
    """A query taken apart. Nothing is in a field twice; the order is that of the query.

    `contains` and `lacks` are pieces of text, folded (`fold`), none of them empty. `repositories`, `branches`, `ids`
    and `statuses` are as written, all of a kind asked for at once; `states` are the words by themselves.
    """

    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    states: tuple[State, ...] = ()

    @property
    def size(self) -> int:
        """How many conditions there are."""
        return sum(len(getattr(self, name)) for name in _FIELDS)


_FIELDS = ("contains", "lacks", "repositories", "branches", "ids", "statuses", "states")
_FILTERS = {"repo": "repositories", "branch": "branches", "id": "ids", "status": "statuses"}
_STATES = {state.value: state for state in State}
#: Straight quotes, and the curly ones that typesetting makes of them.
_QUOTES = '"“”'


def fold(text: str) -> str:
    """`text` as it is compared: without regard to case, or to how an accented letter is composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def parse(text: str) -> Search:
    """Take a query apart. Never raises.

    A quote opens at the beginning of a word, after a minus, or after the colon of a filter; one that is not closed goes
    on to the end. Names of filters and states count in any case. A minus or a filter without anything behind it is
    text, but a minus alone is a dash and nothing.
    """
    found: dict[str, dict[str, None]] = {name: {} for name in _FIELDS}
    words = _Words(text.replace("\0", " ").encode("utf-8", "replace").decode())
    while words.skip_blanks():
        name, value = _term(words)
        if value:
            found[name][value] = None
    return Search(
        **{name: tuple(values) for name, values in found.items() if name != "states"},
        states=tuple(_STATES[value] for value in found["states"]),
    )


def _term(words: "_Words") -> tuple[str, str]:
    """The next term: the field it belongs to, and its value (empty: nothing was said)."""
    if words.quoted:
        return "contains", fold(words.quotation())
    if words.peek() == "-":
        words.drop(1)
        without = words.quotation() if words.quoted else words.word()
        return "lacks", fold(without)
    key, colon, _ = words.peek_word().partition(":")
    name = _FILTERS.get(key.lower()) if colon else None
    if name is not None:
        start = words.place
        words.drop(len(key) + 1)
        value = words.quotation() if words.quoted else words.word()
        if value:
            return name, value
        return "contains", fold(words.since(start))
    word = words.word()
    if word.lower() in _STATES:
        return "states", word.lower()
    return "contains", fold(word)


class _Words:
    """A place in a text, and what can be read there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0

    def peek(self) -> str:
        return self._text[self.place : self.place + 1]

    @property
    def quoted(self) -> bool:
        return self.peek() != "" and self.peek() in _QUOTES

    def skip_blanks(self) -> bool:
        """Go on to the next word; whether there is one."""
        while self.peek().isspace():
            self.place += 1
        return self.place < len(self._text)

    def drop(self, count: int) -> None:
        self.place += count

    def since(self, start: int) -> str:
        return self._text[start : self.place].strip()

    def peek_word(self) -> str:
        """What stands here up to the next blank, without going on."""
        end = self.place
        while end < len(self._text) and not self._text[end].isspace():
            end += 1
        return self._text[self.place : end]

    def word(self) -> str:
        found = self.peek_word()
        self.place += len(found)
        return found

    def quotation(self) -> str:
        """The text between the quote that stands here and the next one, without blanks around."""
        start = self.place + 1
        end = start
        while end < len(self._text) and self._text[end] not in _QUOTES:
            end += 1
        self.place = end + 1
        return self._text[start:end].strip()
