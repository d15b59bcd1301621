"""What services print."""

import queue

from runner.executor.podman_service_logs import KEPT, LONGEST_LINE, ServiceLog


class Stream:
    """A container's output, as `AttachedStream` gives it."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.closed = False

    def read(self, timeout: float) -> bytes | None:
        try:
            return self.waiting.get(timeout=timeout)
        except queue.Empty:
            return b""

    def close(self) -> None:
        self.closed = True


def ended(*pieces: bytes, live=None) -> tuple[ServiceLog, Stream]:
    stream = Stream()
    for piece in (*pieces, None):
        stream.waiting.put(piece)
    log = ServiceLog("db", stream, live)  # type: ignore[arg-type]
    log.settle(10)
    return log, stream


def test_the_last_words_are_kept():
    log, stream = ended(b"first\n", b"x" * 3 * KEPT, b"last\n")
    assert log.tail().endswith("xlast")
    assert len(log.tail()) < KEPT
    assert stream.closed


def test_lines_are_shown_whole_with_the_services_name():
    shown = bytearray()
    ended(b"one\ntw", b"o\nthree", live=shown.extend)
    assert bytes(shown) == b"[service:db] one\n[service:db] two\n[service:db] three\n"


def test_a_line_without_end_is_shown_in_parts():
    shown = bytearray()
    ended(b"y" * (LONGEST_LINE + 1), b"z", live=shown.extend)
    assert bytes(shown) == b"[service:db] " + b"y" * (LONGEST_LINE + 1) + b"\n[service:db] z\n"


def test_nothing_is_shown_after_the_end():
    shown, stream = bytearray(), Stream()
    log = ServiceLog("db", stream, shown.extend)  # type: ignore[arg-type]
    log.close()
    stream.waiting.put(b"late\n")
    log.settle(10)
    assert shown == b""
    assert stream.closed
