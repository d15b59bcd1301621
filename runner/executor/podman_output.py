"""Where a stage's output ends: the wrapper's end mark in the stream of bytes."""

MARK = b"\x1e"
LONGEST_STATUS = 16


class EndMark:
    """Finds `\\x1e TOKEN space STATUS newline` in a stream and gives everything else through, byte for byte.

    The mark travels in the same pipe as the output, so all that the script printed before it ended comes before it,
    and a background process that holds the pipe open does not delay it. The token is random for each stage and unknown
    outside the wrapper and the runner. (A script may read it out of the wrapper's memory and end its own stage early:
    it could as well have exited.)
    """

    def __init__(self, token: str) -> None:
        self._prefix = MARK + token.encode() + b" "
        self._held = b""
        self.status: int | None = None
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """What of `data` is output. When the mark has come, `status` is set and `rest` is what followed it."""
        buffer = self._held + data if self._held else data
        start = buffer.find(self._prefix)
        if start < 0:
            start = self._possible_start(buffer)
            self._held = buffer[start:]
            return buffer[:start]
        end = buffer.find(b"\n", start)
        if end < 0 and len(buffer) - start <= len(self._prefix) + LONGEST_STATUS:
            self._held = buffer[start:]
            return buffer[:start]
        digits = buffer[start + len(self._prefix) : end]
        self.status = int(digits) if digits.isdigit() else 255
        self._held, self.rest = b"", buffer[end + 1 :]
        return buffer[:start]

    def flush(self) -> bytes:
        """What was held back, when no mark can come any more."""
        held, self._held = self._held, b""
        return held

    def _possible_start(self, buffer: bytes) -> int:
        """Where a mark that is cut off by the buffer's end begins; the buffer's length when none does."""
        start = buffer.rfind(MARK, max(0, len(buffer) - len(self._prefix)))
        return start if start >= 0 and self._prefix.startswith(buffer[start:]) else len(buffer)
