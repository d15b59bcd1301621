"""Git's own programs at the other end of a connection: upload-pack for clones and fetches, receive-pack for pushes."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread, Timer
from typing import IO, cast

from app.git import pktline
from app.git.command import environment, failure
from app.git.pktline import DATA, FATAL, ProtocolError, Readable
from app.git.receive import PushRequest, RefUpdate, Report, parse_report, write_push

#: No clone or push takes longer than this many seconds; a silent client is given up after IDLE.
LONGEST = 6 * 3600
IDLE = 600
CHUNK = 64 * 1024
#: What git reports of a push is a line for each ref.
REPORT_LIMIT = 16 * 1024 * 1024
_PROTOCOL = re.compile(r"[a-z0-9=:.,-]{1,100}")
UPLOAD, RECEIVE = "git-upload-pack", "git-receive-pack"


def _start(
    arguments: Sequence[str],
    folder: Path,
    stdin: int | IO[bytes],
    extra: dict[str, str] | None = None,
    inherit: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            ["git", *arguments, str(folder)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment(extra),
            cwd=folder,
            pass_fds=tuple(inherit),
        )
    except OSError as error:
        raise failure(error) from error


def _speaking(protocol: str | None) -> dict[str, str]:
    """The client's Git-Protocol header as git wants it, when it looks like one."""
    return {"GIT_PROTOCOL": protocol} if protocol and _PROTOCOL.fullmatch(protocol) else {}


def advertise(folder: Path, service: str, protocol: str | None) -> "Output":
    """The answer to `info/refs?service=…`: what there is."""
    speaking = _speaking(protocol) if service == UPLOAD else {}
    command = service.removeprefix("git-")
    process = _start([command, "--stateless-rpc", "--advertise-refs"], folder, subprocess.DEVNULL, speaking)
    plain = speaking.get("GIT_PROTOCOL") != "version=2"
    return Output(process, pktline.encode(f"# service={service}\n".encode()) + pktline.FLUSH if plain else b"")


def upload_pack(folder: Path, request: IO[bytes], protocol: str | None) -> "Output":
    """The answer to one request of a clone or fetch. `request` is a file, read from where it stands."""
    arguments = ["upload-pack", "--stateless-rpc", "--strict", f"--timeout={IDLE}"]
    return Output(_start(arguments, folder, request, _speaking(protocol)))


class Output:
    """All that a git process prints, in pieces, behind `head`. The process does not outlive `close`."""

    def __init__(self, process: "subprocess.Popen[bytes]", head: bytes = b"") -> None:
        self._process, self._head, self._timer = process, head, _limit(process)

    def __iter__(self) -> Iterator[bytes]:
        stdout = cast(IO[bytes], self._process.stdout)
        if self._head:
            yield self._head
        while piece := stdout.read(CHUNK):
            yield piece

    def close(self) -> None:
        """Called by the WSGI server at the end, also when the client is gone."""
        self._timer.cancel()
        cast(IO[bytes], self._process.stdout).close()
        self._process.kill()
        self._process.wait()


def _limit(process: "subprocess.Popen[bytes]") -> Timer:
    timer = Timer(LONGEST, process.kill)
    timer.daemon = True
    timer.start()
    return timer


class ReceivePack:
    """One push on its way into git.

    A thread feeds git with what the client sends, while the caller reads `progress`; so neither waits for the other.
    When the client goes away in the middle, git never sees the end of the pack and moves no ref.
    """

    def __init__(
        self,
        folder: Path,
        hooks: Path,
        request: PushRequest,
        updates: Sequence[RefUpdate],
        forward_only: Sequence[str],
        body: Readable,
        lock: int,
    ) -> None:
        self._request, self._updates, self._body = request, tuple(updates), body
        self._report = bytearray()
        self.error: Exception | None = None
        settings = {"SKERRY_FAST_FORWARD_ONLY": " ".join(forward_only)}
        arguments = ["-c", f"core.hooksPath={hooks}", "receive-pack", "--stateless-rpc"]
        self._process = _start(arguments, folder, subprocess.PIPE, settings, inherit=[lock])
        self._timer = _limit(self._process)
        self._feeder = Thread(target=self._feed, name="git-push", daemon=True)
        self._feeder.start()

    def progress(self) -> Iterator[bytes]:
        """What git tells the person who pushes (the content of side band 2), until it has ended."""
        stdout = cast(IO[bytes], self._process.stdout)
        try:
            while True:
                content = pktline.read_line(stdout) if self._request.side_band else stdout.read(CHUNK)
                if not self._request.side_band and not content:
                    return
                if content is None:  # the flush at the end
                    continue
                number, text = (content[0], content[1:]) if self._request.side_band else (DATA, content)
                if number == DATA:
                    self._report += text[: REPORT_LIMIT - len(self._report)]
                elif text:
                    yield (b"fatal: " if number == FATAL else b"") + text
        except (EOFError, ProtocolError):  # git has ended, or was killed
            return

    def finish(self) -> Report:
        """Wait for git's end; its report. To be called after `progress` is exhausted or given up."""
        for _ in self.progress():
            continue
        self._process.wait()
        self._timer.cancel()
        cast(IO[bytes], self._process.stdout).close()
        self._feeder.join(1)
        try:
            return parse_report(bytes(self._report))
        except ProtocolError:
            return Report("git ended in the middle of its report", {})

    def _feed(self) -> None:
        stdin = cast(IO[bytes], self._process.stdin)
        try:
            self._pump(stdin)
        except Exception as error:
            self.error = error
            self._process.kill()
        finally:
            stdin.close()

    def _pump(self, stdin: IO[bytes]) -> None:
        """Everything to git; when git has had enough, the rest into the void, so that the client gets to read why."""
        listening = _write(stdin, write_push(self._request, self._updates))
        wanted = any(not update.deletes for update in self._updates)
        while piece := self._body.read(CHUNK):
            listening = listening and wanted and _write(stdin, piece)


def _write(target: IO[bytes], data: bytes) -> bool:
    """Write all of `data`; False when nobody reads it any more."""
    view = memoryview(data)
    try:
        while view:
            view = view[target.write(view) :]
    except BrokenPipeError:
        return False
    return True
