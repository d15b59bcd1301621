"""Releases: what their links are for, and which addresses may be linked."""

from urllib.parse import urlsplit

LINK_TYPES = ("other", "runbook", "image", "package")
LONGEST_NAME = 255
LONGEST_DESCRIPTION = 1024 * 1024
MOST_LINKS = 100


def is_link(url: str) -> bool:
    """Whether `url` may be linked from a page: http, https or ftp, with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "ftp") and bool(parts.hostname)
