"""What a page can show of one file of an archive: text, a picture, an HTML report, or nothing but its size."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.domain.errors import InvalidRequest
from app.models import Artifact
from app.services.artifacts.read_artifact import Member, open_member
from app.services.core import Core

#: So much of a text is shown, in bytes; a picture or report may have so much to be shown at all.
TEXT_LIMIT = 512 * 1024
PICTURE_LIMIT = 20 * 1024 * 1024
#: How many lines are shown, and how much of one.
MOST_LINES = 10_000
LONGEST_LINE = 2000

TEXT, PICTURE, REPORT, NOTHING = "text", "picture", "report", "nothing"
PICTURES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
REPORTS = {".htm": "text/html", ".html": "text/html"}


@dataclass(frozen=True, slots=True)
class Preview:
    """`kind`: TEXT, PICTURE, REPORT or NOTHING. `lines` is the text, of pictures and reports too where they are text;
    `cut`: the file has more than these. `size` is what the archive claims.
    """

    name: str
    path: str
    kind: str
    size: int
    lines: list[str] | None = None
    cut: bool = False


def preview_file(core: Core, archive: Artifact, path: str) -> Preview:
    """What can be shown of the file at `path`. Raises NotFound, InvalidRequest for what cannot be read."""
    member = open_member(core, archive, path)
    try:
        start, whole = _start(member)
    finally:
        member.close()
    lines = _lines(start, whole)
    ending = PurePosixPath(path).suffix.lower()
    kind = TEXT if lines is not None else NOTHING
    if member.size <= PICTURE_LIMIT and ending in PICTURES:
        kind = PICTURE
    elif member.size <= PICTURE_LIMIT and ending in REPORTS:
        kind = REPORT
    cut = not whole or (lines is not None and len(lines) > MOST_LINES)
    shown = None if lines is None else [line[:LONGEST_LINE] for line in lines[:MOST_LINES]]
    return Preview(PurePosixPath(path).name, path, kind, member.size, shown, cut)


def _start(member: Member) -> tuple[bytes, bool]:
    """The first bytes, and whether these are all."""
    start = b""
    try:
        for piece in member:
            start += piece
            if len(start) > TEXT_LIMIT:
                return start[:TEXT_LIMIT], False
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise InvalidRequest("the file is damaged") from error
    return start, True


def _lines(start: bytes, whole: bool) -> list[str] | None:
    """The bytes as lines of text; None where they are none."""
    if b"\0" in start:
        return None
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character may be cut in two by the limit.
        if whole or error.reason != "unexpected end of data":
            return None
        text = start[: error.start].decode("utf-8")
    return text.removeprefix("\ufeff").splitlines() or [""]
