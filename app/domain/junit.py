"""JUnit reports: XML from a job, read as it comes and never as a whole.

Nothing in the file is believed. A document type declaration is refused, and with it every entity; depth, the number of
elements, and the text kept of one case and of all are bounded. What is beyond the bounds of text is cut off, what is
beyond the others makes the report unreadable.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

SUCCESS, FAILED, SKIPPED, ERROR = "success", "failed", "skipped", "error"
STATUSES = (SUCCESS, FAILED, SKIPPED, ERROR)
_OUTCOMES = {"failure": FAILED, "error": ERROR, "skipped": SKIPPED}
# Of several outcomes in one case, the one that stands first here counts.
_RANKS = (FAILED, ERROR, SKIPPED)
_OUTPUTS = ("system-out", "system-err")

MOST_DEPTH = 50
MOST_CASES = 100_000
MOST_ELEMENTS = 1_000_000
LONGEST_NAME = 1024
LONGEST_OUTPUT = 16 * 1024
MOST_OUTPUT = 8 * 1024 * 1024
CUT = "\n[…]"


class UnreadableError(Exception):
    """The file is no report that can be read; the message says why and where."""


@dataclass(slots=True)
class Case:
    """One test. `output` is what it says of its failure, `system_output` what it printed; both may be cut off."""

    suite: str = ""
    classname: str = ""
    name: str = ""
    file: str = ""
    seconds: float = 0.0
    status: str = SUCCESS
    output: str = ""
    system_output: str = ""


@dataclass(slots=True)
class _Open:
    """An element that is being read: what it is, and the text of it that is kept."""

    tag: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)
    size: int = 0


class Parser:
    """Collects the cases of any number of documents, one after the other, in `cases`."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._elements = 0
        self._kept = 0

    def read(self, pieces: Iterable[bytes]) -> None:
        """Read one document. Raises UnreadableError."""
        self._path: list[_Open] = []
        self._case: Case | None = None
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            for piece in pieces:
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise UnreadableError(f"{expat.ErrorString(error.code)}: line {error.lineno}") from error
        except (LookupError, ValueError) as error:
            raise UnreadableError(f"the text's encoding cannot be read: {error}") from error

    @staticmethod
    def _refuse(*_: object) -> None:
        raise UnreadableError("a document type declaration is not accepted")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= MOST_DEPTH:
            raise UnreadableError(f"elements are nested more than {MOST_DEPTH} deep")
        if self._elements > MOST_ELEMENTS:
            raise UnreadableError(f"there are more than {MOST_ELEMENTS} elements")
        self._path.append(_Open(tag, attributes))
        if tag == "testcase" and self._case is None:
            self._case = self._begin(attributes)

    def _begin(self, attributes: dict[str, str]) -> Case:
        if len(self.cases) >= MOST_CASES:
            raise UnreadableError(f"there are more than {MOST_CASES} test cases")
        suites = [one.attributes for one in self._path if one.tag == "testsuite"]
        return Case(
            suite=_short(suites[-1].get("name", "")) if suites else "",
            classname=_short(attributes.get("classname", "")),
            name=_short(attributes.get("name", "")),
            file=_short(attributes.get("file") or (suites[-1].get("file", "") if suites else "")),
            seconds=_seconds(attributes.get("time", "")),
        )

    def _text(self, text: str) -> None:
        """Kept only where it means something, directly within a case."""
        if self._case is None or len(self._path) < 2:
            return
        here = self._path[-1]
        if here.tag in _OUTCOMES or here.tag in _OUTPUTS:
            room = max(0, LONGEST_OUTPUT - here.size + 1)
            here.text.append(text[:room])
            here.size += min(len(text), room)

    def _end(self, tag: str) -> None:
        closed = self._path.pop()
        case = self._case
        if case is None:
            return
        if tag == "testcase" and not any(one.tag == "testcase" for one in self._path):
            self.cases.append(case)
            self._case = None
        elif tag in _OUTCOMES:
            self._note_outcome(case, closed)
        elif tag in _OUTPUTS and closed.size:
            printed = "".join(closed.text)
            case.system_output = self._bounded(f"{case.system_output}\n{printed}" if case.system_output else printed)

    def _note_outcome(self, case: Case, element: _Open) -> None:
        status = _OUTCOMES[element.tag]
        if case.status == SUCCESS or _RANKS.index(status) < _RANKS.index(case.status):
            case.status = status
            text = "".join(element.text).strip() or element.attributes.get("message", "")
            case.output = self._bounded(text)

    def _bounded(self, text: str) -> str:
        """`text` as far as a case, and the report as a whole, may keep it."""
        room = min(LONGEST_OUTPUT, max(0, MOST_OUTPUT - self._kept))
        # No database takes a NUL; XML has none, but a character reference could be let through one day.
        kept = text.replace("\0", "")
        kept = kept if len(kept) <= room else kept[:room] + CUT
        self._kept += len(kept)
        return kept


def _short(text: str) -> str:
    return text[:LONGEST_NAME]


def _seconds(text: str) -> float:
    """A duration, with a comma between thousands as some write it; 0 for what is no such number."""
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 1e9 else 0.0
