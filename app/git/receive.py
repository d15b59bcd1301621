"""A push on the wire: what the client asks for, and the report that it gets (gitprotocol-pack, "Pushing Data")."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from app.git import pktline
from app.git.objects import ZERO_ID
from app.git.pktline import ProtocolError, Readable

#: The commands and options of one push together: some ten thousand refs.
HEADER_LIMIT = 4 * 1024 * 1024
_COMMAND = re.compile(rb"(?P<old>[0-9a-f]{40}) (?P<new>[0-9a-f]{40}) (?P<ref>[^\0]+)")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One command of a push: move `ref` from `old` to `new`. All zeros: there was none, or there shall be none."""

    ref: str
    old: str
    new: str

    @property
    def creates(self) -> bool:
        return self.old == ZERO_ID

    @property
    def deletes(self) -> bool:
        return self.new == ZERO_ID


@dataclass(frozen=True, slots=True)
class PushRequest:
    """The beginning of a push: everything before the pack. `shallow` lines are kept as they came."""

    updates: tuple[RefUpdate, ...]
    capabilities: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    shallow: tuple[bytes, ...] = ()

    @property
    def side_band(self) -> bool:
        return "side-band-64k" in self.capabilities

    @property
    def wants_report(self) -> bool:
        return "report-status" in self.capabilities or "report-status-v2" in self.capabilities

    @property
    def atomic(self) -> bool:
        return "atomic" in self.capabilities

    @property
    def has_pack(self) -> bool:
        """Whether a pack follows: it does unless all commands delete."""
        return any(not update.deletes for update in self.updates)


def read_push(stream: Readable) -> PushRequest:
    """Read up to where the pack begins. No updates: the client only asked whether it may speak. Raises
    ProtocolError.
    """
    lines = pktline.read_section(stream, HEADER_LIMIT)
    shallow = tuple(line for line in lines if line.startswith(b"shallow "))
    commands = lines[len(shallow) :]
    if not commands:
        return PushRequest((), shallow=shallow)
    first, _, capabilities = commands[0].partition(b"\0")
    updates = tuple(_update(line) for line in [first, *commands[1:]])
    if len({update.ref for update in updates}) < len(updates):
        raise ProtocolError("a ref is named twice")
    names = tuple(capabilities.decode("utf-8", "replace").split())
    options: tuple[str, ...] = ()
    if "push-options" in names:
        section = pktline.read_section(stream, HEADER_LIMIT)
        options = tuple(line.rstrip(b"\n").decode("utf-8", "replace").replace("\0", "\ufffd") for line in section)
    return PushRequest(updates, names, options, shallow)


def _update(line: bytes) -> RefUpdate:
    match = _COMMAND.fullmatch(line.rstrip(b"\n"))
    if match is None:
        raise ProtocolError("this is no command of a push")
    try:
        # Bytes that are no UTF-8 survive, so that the report can name the ref as the client knows it.
        return RefUpdate(match["ref"].decode("utf-8", "surrogateescape"), match["old"].decode(), match["new"].decode())
    except UnicodeDecodeError as error:
        raise ProtocolError("this is no command of a push") from error


def write_push(request: PushRequest, updates: Sequence[RefUpdate]) -> bytes:
    """What git is given instead of the client's beginning: only `updates`, the same capabilities and options."""
    lines = [pktline.encode(line) for line in request.shallow]
    for index, update in enumerate(updates):
        command = f"{update.old} {update.new} {update.ref}".encode("utf-8", "surrogateescape")
        suffix = b"\0" + " ".join(request.capabilities).encode("utf-8", "replace") if index == 0 else b""
        lines.append(pktline.encode(command + suffix))
    lines.append(pktline.FLUSH)
    if "push-options" in request.capabilities:
        lines += [pktline.encode(option.encode()) for option in request.options]
        lines.append(pktline.FLUSH)
    return b"".join(lines)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a push. `unpack`: "ok", or why the pack was refused. `lines`: git's "ok REF" or "ng REF WHY" by
    ref.

    `complete`: git came to its end and said all this itself.
    """

    unpack: str
    lines: dict[str, bytes]
    complete: bool = False


def parse_report(content: bytes) -> Report:
    """The report that git made, with or without the lines of report-status-v2. Raises ProtocolError."""
    unpack, lines, last = "", {}, ""
    for line in pktline.read_section(BytesIO(content), len(content) + 4):
        word, _, rest = line.rstrip(b"\n").partition(b" ")
        if word == b"unpack":
            unpack = rest.decode("utf-8", "replace")
        elif word in (b"ok", b"ng"):
            last = rest.partition(b" ")[0].decode("utf-8", "surrogateescape")
            lines[last] = pktline.encode(line)
        elif word == b"option" and last:
            lines[last] += pktline.encode(line)
    return Report(unpack, lines, True) if unpack else Report("the server could not take the push", lines)


def write_report(request: PushRequest, report: Report | None, refused: dict[str, str]) -> bytes:
    """One report of what git did and what was refused before it, in the order of the commands. Empty where none is
    wanted.

    `report` None: git was not started, because nothing was left to do.
    """
    if not request.wants_report:
        return b""
    pieces = [pktline.encode(f"unpack {report.unpack if report else 'ok'}\n".encode())]
    for update in request.updates:
        ref = update.ref.encode("utf-8", "surrogateescape")
        known = report.lines.get(update.ref) if report else None
        reason = refused.get(update.ref, "not done")
        pieces.append(known or pktline.encode(b"ng " + ref + b" " + one_line(reason).encode() + b"\n"))
    pieces.append(pktline.FLUSH)
    return b"".join(pieces)


def one_line(text: str) -> str:
    """`text` as one printable line that fits a report."""
    return "".join(character if character.isprintable() else " " for character in text)[:1000]


def remote_message(lines: Iterable[str]) -> bytes:
    """Text for the progress band; git shows each line behind `remote: `."""
    return "".join(one_line(line) + "\n" for line in lines).encode("utf-8", "replace")


def frame(request: PushRequest, report: bytes, messages: Iterable[str]) -> Iterator[bytes]:
    """The end of the answer: messages and report, in the side band where the client has one (without, messages are
    lost).
    """
    if not request.side_band:
        yield report
        return
    yield from pktline.band(pktline.PROGRESS, remote_message(messages))
    yield from pktline.band(pktline.DATA, report)
    yield pktline.FLUSH
