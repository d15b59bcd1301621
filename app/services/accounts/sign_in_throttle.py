"""How long somebody has to wait who guessed a password wrong, whichever of the server's processes they ask.

Wrong guesses are counted by user and place, and by place alone (many users tried from one). After the free tries each
further one doubles the wait, up to five minutes. Nobody locks a user out from elsewhere. A place is an address; of
IPv6 it is a whole /64, which one customer has to themselves.

What is kept is small and bounded: a keyed hash, so that nobody reads what was typed as a name, a count and a time.
Whoever has to wait costs one look, no write.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from sqlalchemy import bindparam, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.models import SignInGuess, write
from app.services.core import Core

FREE_TRIES = 5
FREE_TRIES_OF_PLACE = 50
LONGEST_WAIT = 300.0
FORGET_AFTER = timedelta(hours=1)
#: Of more than so many the oldest are forgotten early.
REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Guesses:
    """What is known of a name and an address: `wait` in seconds, 0 when a try is free now; `any`: some were wrong."""

    wait: float
    any: bool


def look(core: Core, username: str, address: str) -> Guesses:
    """How the next try of `username` from `address` stands."""
    pair, place = _keys(core, username, address)
    rows = {row.key: row for row in core.session.execute(_BY_KEY, {"pair": pair, "place": place})}
    now, waits = core.now(), [0.0]
    for key, free in ((pair, FREE_TRIES), (place, FREE_TRIES_OF_PLACE)):
        if key in rows and rows[key].wrong >= free:
            pause = min(LONGEST_WAIT, 2.0 ** min(rows[key].wrong - free, 10))
            waits.append(pause - (now - rows[key].last_at).total_seconds())
    return Guesses(min(LONGEST_WAIT, max(waits)), pair in rows)


def note_guess(core: Core, username: str, address: str) -> None:
    """*In a write*: one more wrong guess. Those of several processes at once are all counted."""
    now = core.now()
    on_sqlite = core.session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert(SignInGuess) if on_sqlite else postgresql.insert(SignInGuess)
    counted = case((SignInGuess.last_at < now - FORGET_AFTER, 1), else_=SignInGuess.wrong + 1)
    statement = insert.on_conflict_do_update(index_elements=["key"], set_={"wrong": counted, "last_at": now})
    # The pair before the place: two of one place never wait for each other in a circle.
    for key in _keys(core, username, address):
        core.session.execute(statement, {"key": key, "wrong": 1, "last_at": now})


def forget_guesses(core: Core, username: str, address: str) -> None:
    """The right password: this user's guesses from there are forgotten."""
    pair, _ = _keys(core, username, address)
    with write(core.session):
        core.session.execute(delete(SignInGuess).where(SignInGuess.key == pair))


def forget_old_guesses(core: Core) -> int:
    """Remove what says nothing any more, and the oldest of too many; return how many. For the background's loop."""
    with write(core.session):
        newest = select(SignInGuess.last_at).order_by(SignInGuess.last_at.desc())
        too_many = core.session.scalar(newest.offset(REMEMBERED).limit(1))
        before = core.now() - FORGET_AFTER
        last = max(before, too_many) if too_many else before
        removed: Any = core.session.execute(delete(SignInGuess).where(SignInGuess.last_at <= last))
    return int(removed.rowcount)


_BY_KEY = select(SignInGuess.key, SignInGuess.wrong, SignInGuess.last_at).where(
    SignInGuess.key.in_([bindparam("pair"), bindparam("place")])
)


def _keys(core: Core, username: str, address: str) -> tuple[str, str]:
    """What stands for a name tried from a place, and for the place."""
    secret, place = core.box.derive("sign-in guesses"), _place(address)
    pair = f"{username.lower()[:255]}\0{place}"
    return _hash(secret, pair), _hash(secret, place)


def _hash(secret: bytes, text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), key=secret[:64], digest_size=32).hexdigest()


def _place(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:  # a socket of this host, say
        return address
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((known.packed, 64), strict=False))
