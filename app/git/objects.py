"""Commits and files out of one `git cat-file --batch`, whose input is a stream of names and never an option."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Timer
from typing import IO, Any, cast

from app.domain.errors import LimitExceeded, NotFound
from app.git.command import QUICK, GitFailed, environment, failure

ZERO_ID = "0" * 40
#: Of a commit no more than this is read, of its message no more than MESSAGE_LIMIT characters kept (as
#: CI_COMMIT_MESSAGE is cut).
COMMIT_LIMIT = 4 * 1024 * 1024
MESSAGE_LIMIT = 100_000
TITLE_LIMIT = 255
SHORT_ID = 8
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PERSON = re.compile(rb"(?P<name>[^<]*)<(?P<email>[^>]*)>\s*(?P<seconds>-?\d+)?\s*(?P<zone>[+-]\d{4})?")
_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9-]+): (?P<value>.+)")


def is_object_id(text: str) -> bool:
    """Whether `text` is a whole object id (40 or 64 hexadecimal digits) and not all zeros."""
    return _OBJECT_ID.fullmatch(text) is not None and set(text) != {"0"}


class Objects:
    """Reads one object after the other. Not for use by two threads."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._stdin, self._stdout = stdin, stdout

    def resolve(self, name: str) -> str | None:
        """The id of the object that `name` means, None where there is none."""
        found = self._ask(name)
        if found is None:
            return None
        object_id, _, size = found
        self._skip(size + 1)
        return object_id

    def commit(self, commit_id: str) -> dict[str, Any]:
        """A commit as gitlab.md B.2 shows it (without web_url). Raises NotFound."""
        content = self._read(commit_id, "commit", COMMIT_LIMIT) if is_object_id(commit_id) else None
        if content is None:
            raise NotFound("Commit")
        return parse_commit(commit_id, content)

    def read_file(self, commit_id: str, path: str, limit: int) -> bytes:
        """The file at `path`. Raises NotFound (also for a folder), LimitExceeded beyond `limit` bytes."""
        usable = is_object_id(commit_id) and _is_plain(path)
        content = self._read(f"{commit_id}:{path}", "blob", limit) if usable else None
        if content is None:
            raise NotFound("File")
        return content

    def tag_message(self, name: str) -> str:
        """The message of the annotated tag that `name` means; empty for any other object, and for none."""
        content = self._read(name, "tag", COMMIT_LIMIT)
        return _text(content.partition(b"\n\n")[2], "utf-8")[:MESSAGE_LIMIT] if content is not None else ""

    def _read(self, name: str, kind: str, limit: int) -> bytes | None:
        found = self._ask(name)
        if found is None:
            return None
        _, found_kind, size = found
        if found_kind != kind:
            self._skip(size + 1)
            return None
        if size > limit:
            self._skip(size + 1)
            raise LimitExceeded(f"the {'file' if kind == 'blob' else kind} is longer than {limit} bytes", limit)
        content = self._stdout.read(size)
        self._stdout.read(1)
        return content

    def _ask(self, name: str) -> tuple[str, str, int] | None:
        """The id, type and size that git says of `name`; the content is the next to be read."""
        if "\n" in name:
            return None
        try:
            self._stdin.write(name.encode("utf-8", "surrogatepass") + b"\n")
            self._stdin.flush()
            answer = self._stdout.readline()
        except OSError as error:
            raise failure(error) from error
        parts = answer.split()
        if len(parts) == 3 and parts[2].isdigit() and _OBJECT_ID.fullmatch(parts[0].decode("latin-1")):
            return parts[0].decode(), parts[1].decode(), int(parts[2])
        if not answer:
            raise GitFailed("git cat-file ended before it answered")
        return None

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._stdout.read(min(size, 1 << 20))) or size


def _is_plain(path: str) -> bool:
    """Whether `path` names something in a commit as it stands: git ends when it is asked for `../a`."""
    return not {"", ".", ".."} & set(path.split("/")) and "\n" not in path and "\0" not in path


@contextmanager
def open_objects(folder: Path) -> Iterator[Objects]:
    """Objects of the repository in `folder`, for at most QUICK seconds."""
    try:
        process = subprocess.Popen(
            ["git", f"--git-dir={folder}", "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=folder,
        )
    except OSError as error:
        raise failure(error) from error
    limit = Timer(QUICK, process.kill)
    limit.daemon = True
    limit.start()
    try:
        yield Objects(cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout))
    finally:
        limit.cancel()
        process.kill()
        process.communicate()


def parse_commit(commit_id: str, content: bytes) -> dict[str, Any]:
    """A raw commit object as the dict that pipelines keep. Never fails: commits hold whatever their author's program
    wrote.
    """
    head, _, body = content.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        headers.setdefault(key, []).append(value)
    encoding = headers.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace")
    message = _text(body, encoding)[:MESSAGE_LIMIT]
    author = _person(headers.get(b"author", [b""])[0], encoding)
    committer = _person(headers.get(b"committer", [b""])[0], encoding)
    trailers = _trailers(message)
    return {
        "id": commit_id,
        "short_id": commit_id[:SHORT_ID],
        "created_at": committer[2],
        "parent_ids": [parent.decode("ascii", "replace") for parent in headers.get(b"parent", [])],
        "title": message.strip().partition("\n")[0].rstrip()[:TITLE_LIMIT],
        "message": message,
        "author_name": author[0],
        "author_email": author[1],
        "authored_date": author[2],
        "committer_name": committer[0],
        "committer_email": committer[1],
        "committed_date": committer[2],
        "trailers": {key: values[-1] for key, values in trailers.items()},
        "extended_trailers": trailers,
    }


def _text(data: bytes, encoding: str) -> str:
    """`data` as text that every database and JSON reader takes: no NUL, no half characters."""
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _person(line: bytes, encoding: str) -> tuple[str, str, str]:
    """Name, address and ISO time of an author or committer line; the epoch where the time makes no sense."""
    match = _PERSON.match(line)
    if match is None:
        return _text(line, encoding).strip(), "", _iso(0, "+0000")
    zone = (match["zone"] or b"+0000").decode()
    name, address = _text(match["name"], encoding).strip(), _text(match["email"], encoding).strip()
    return name, address, _iso(int(match["seconds"] or 0), zone)


def _iso(seconds: int, zone: str) -> str:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
    try:
        moment = datetime.fromtimestamp(seconds, timezone(offset))
    except (ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="milliseconds")


def _trailers(message: str) -> dict[str, list[str]]:
    """The `Key: value` lines of the last paragraph, when it holds nothing else and is not the title."""
    paragraphs = [part for part in message.strip().split("\n\n") if part.strip()]
    if len(paragraphs) < 2:
        return {}
    found: dict[str, list[str]] = {}
    for line in paragraphs[-1].split("\n"):
        match = _TRAILER.fullmatch(line)
        if match is None:
            return {}
        found.setdefault(match["key"], []).append(match["value"].strip())
    return found
