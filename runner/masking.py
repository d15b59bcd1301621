"""Secrets out of a log while it streams, whatever way it is cut into pieces.

`Masker.feed` returns what can be sent so far, `flush` the rest. Every stretch of bytes that is covered by an occurrence
of a masked value becomes one `[MASKED]` (occurrences that overlap share one), and so does what follows a token prefix
such as `glpat-`. The result does not depend on how the log was cut: bytes at the end that may be the beginning of a
secret are held back, at most the longest secret's length less one; all else leaves at once.
"""

import re
from collections.abc import Iterable, Iterator

import re2

MASK = b"[MASKED]"
MIN_LENGTH = 8
TOKEN_PREFIXES = (
    *("glpat-", "gloas-", "gldt-", "glrt-", "glcbt-", "glrtr-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-"),
    *("glffct-", "_gitlab_session=", "gltok-"),
)
# Most prefixes look like this, and one pattern finds them all: none of them can overlap another.
_FAMILY = re.compile(rb"gl(?!.*gl)[a-z]+-")
# From so many secrets on, one automaton looks first whether any of them is near: it takes a third of a second for
# 100 MB however many there are, and most logs hold none. It knows their first bytes only, which keeps it small.
_MANY = 6
_NEAR = 16
_TOKEN_RUN = re.compile(rb"[A-Za-z0-9_.=\-]*")

Span = tuple[int, int]
TokenSpan = tuple[int, int, int]  # where the prefix starts, where the token starts, where it ends


def secrets_of(values: Iterable[str]) -> list[bytes]:
    """The byte strings to hide for these values: each value of at least 8 bytes, and each such line of one with
    several.
    """
    found: dict[bytes, None] = {}
    for value in values:
        for part in (value, *value.splitlines()):
            raw = part.strip("\r\n").encode("utf-8", "surrogatepass")
            if len(raw) >= MIN_LENGTH:
                found[raw] = None
    return list(found)


class Masker:
    """One log's filter. Not thread-safe. `secrets` are hidden whole, after a token prefix the token is."""

    def __init__(self, secrets: Iterable[bytes] = (), token_prefixes: Iterable[str] = TOKEN_PREFIXES) -> None:
        self._secrets: list[bytes] = []
        self._near: re2.Pattern | None = None
        prefixes = [prefix.encode() for prefix in dict.fromkeys(token_prefixes) if prefix]
        family = [prefix for prefix in prefixes if _FAMILY.fullmatch(prefix)]
        self._family = re.compile(b"gl(?:" + b"|".join(prefix[2:] for prefix in family) + b")") if family else None
        self._prefixes = [prefix for prefix in prefixes if prefix not in family]
        # A prefix is held back whole until its first token byte has come: one byte more than a secret would be.
        self._starts = [(prefix, len(prefix)) for prefix in prefixes]
        self._held = b""
        self._covered = 0  # so many bytes at the start of `_held` belong to a mask that is already written
        self._in_token = False  # the mask written last was a token's, and the token may go on
        self.hide(secrets)

    def hide(self, secrets: Iterable[bytes]) -> None:
        """Hide these too, from here on."""
        for secret in secrets:
            if secret and secret not in self._secrets:
                self._secrets.append(secret)
                self._starts.append((secret, len(secret) - 1))
        self._near = _any_of(self._secrets) if len(self._secrets) >= _MANY else None

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return those that are safe to show."""
        return self._advance(data, last=False)

    def flush(self) -> bytes:
        """The log, or a part of it that nothing can continue, has ended: return what was held back."""
        return self._advance(b"", last=True)

    def _advance(self, data: bytes, last: bool) -> bytes:
        buffer = self._held + data if self._held else data
        size = len(buffer)
        done = _run_end(buffer, self._covered) if self._in_token else self._covered
        in_token = self._in_token and done == size
        tokens = self._tokens(buffer)
        hold = size if last else self._hold_from(buffer, tokens)
        spans = self._secret_spans(buffer)
        out: list[bytes] = []
        for start, end in _merged(spans + [(start, end) for _, start, end in tokens]):
            if start < done:  # goes on under a mask that is already written
                done = max(done, end)
            elif start < hold:
                out += (buffer[done:start], MASK)
                done = end
            else:
                break
        out.append(buffer[done:hold])
        self._held = buffer[hold:]
        self._covered = max(0, done - hold)
        self._in_token = not last and (in_token or any(end == size and start < done for _, start, end in tokens))
        return b"".join(out)

    def _secret_spans(self, buffer: bytes) -> list[Span]:
        if self._near is not None and self._near.search(buffer) is None:
            return []
        return [span for secret in self._secrets for span in _occurrences(buffer, secret)]

    def _tokens(self, buffer: bytes) -> list[TokenSpan]:
        found = []
        for match in self._family.finditer(buffer) if self._family else ():
            end = _run_end(buffer, match.end())
            if end > match.end():
                found.append((match.start(), match.end(), end))
        for prefix in self._prefixes:
            found += _tokens_after(buffer, prefix)
        return found

    def _hold_from(self, buffer: bytes, tokens: list[TokenSpan]) -> int:
        """The first position from which on all bytes may be the beginning of something secret."""
        hold = min((_partial(buffer, start, longest) for start, longest in self._starts), default=len(buffer))
        # A token that is held must be held with its prefix, or it would not be known again.
        for prefix_start, start, _ in sorted(tokens, reverse=True):
            if prefix_start < hold <= start:
                hold = prefix_start
        return hold


def _any_of(secrets: Iterable[bytes]) -> "re2.Pattern":
    """Finds a place where one of `secrets` may be; nothing to be found means that there is none."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # a byte is a character
    beginnings = sorted({secret[:_NEAR] for secret in secrets})
    return re2.compile(b"|".join(b"".join(b"\\x%02x" % byte for byte in one) for one in beginnings), options)


def _run_end(buffer: bytes, start: int) -> int:
    match = _TOKEN_RUN.match(buffer, start)
    return match.end() if match else start


def _tokens_after(buffer: bytes, prefix: bytes) -> Iterator[TokenSpan]:
    """The tokens behind `prefix`; one that lies within another is left out."""
    at = buffer.find(prefix)
    while at >= 0:
        start = at + len(prefix)
        end = _run_end(buffer, start)
        if end > start:
            yield at, start, end
        at = buffer.find(prefix, max(at + 1, end - len(prefix) + 1))


def _occurrences(buffer: bytes, secret: bytes) -> Iterator[Span]:
    """Where `secret` is, so that the union of the spans is that of all occurrences; those in between are skipped."""
    size = len(secret)
    at = buffer.find(secret)
    while at >= 0:
        yield at, at + size
        further = buffer.rfind(secret, at + 1, at + 2 * size - 1)
        at = further if further >= 0 else buffer.find(secret, at + size)


def _merged(spans: list[Span]) -> list[Span]:
    """Overlapping spans as one; spans that only touch stay apart."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _partial(buffer: bytes, secret: bytes, longest: int) -> int:
    """The start of the longest end of `buffer`, up to `longest` bytes, with which `secret` begins."""
    first = secret[:1]
    at = buffer.find(first, max(0, len(buffer) - longest))
    while at >= 0:
        if secret.startswith(buffer[at:]):
            return at
        at = buffer.find(first, at + 1)
    return len(buffer)
