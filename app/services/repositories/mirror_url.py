"""The addresses that a project may be mirrored from."""

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from app.domain.errors import InvalidRequest

#: `file`, `ext` and whatever else git knows would read this host's files or start its programs.
SCHEMES = ("http", "https", "ssh", "git")


@dataclass(frozen=True, slots=True)
class MirrorUrl:
    """A remote's address, and its credentials apart: the address is shown and passed to git, they never are."""

    address: str
    username: str | None
    password: str | None


def parse_mirror_url(url: str) -> MirrorUrl:
    """`url` taken apart. Raises InvalidRequest, in words that do not repeat it: it may hold a password."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequest("the mirror's address is no URL", "mirror_url") from None
    if parts.scheme not in SCHEMES or not host or not parts.path.strip("/"):
        raise InvalidRequest(
            "a mirror's address is a URL of http, https, ssh or git with a host and a path", "mirror_url"
        )
    if any(character.isspace() or not character.isprintable() for character in url.strip()) or host.startswith("-"):
        raise InvalidRequest("the mirror's address holds characters that no URL has", "mirror_url")
    if parts.scheme not in ("http", "https") and parts.password:
        raise InvalidRequest("only http and https take a password in the address", "mirror_url")
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    # The user of ssh belongs to the address; one of http would be put on git's command line with the password missing.
    if parts.scheme == "ssh" and username:
        place = f"{quote(username, safe='')}@{place}"
    return MirrorUrl(urlunsplit((parts.scheme, place, parts.path, parts.query, "")), username, password)
