"""What every page tells the browser not to do."""

from flask import Response

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: For bytes that a job made: nothing in them runs, whatever the browser takes them for.
CONTENT_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def secure(response: Response) -> Response:
    """Add the headers that are missing."""
    defaults = {
        "Content-Security-Policy": PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "private, no-cache",
    }
    for name, value in defaults.items():
        response.headers.setdefault(name, value)
    return response
