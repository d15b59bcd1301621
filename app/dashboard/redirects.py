"""Where a form may send the browser afterwards: to a page of ours and nowhere else."""

from urllib.parse import urlsplit


def safe_next(target: str | None, fallback: str) -> str:
    """`target` when it is a path on this host, else `fallback`.

    Browsers read `\\\\` as `/` and skip control characters and white space: an address that has any is refused.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return fallback
    if "\\" in target or any(character <= " " or character == "\x7f" for character in target):
        return fallback
    try:
        parts = urlsplit(target)
    except ValueError:
        return fallback
    return fallback if parts.scheme or parts.netloc else target
