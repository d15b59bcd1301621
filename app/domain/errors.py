"""One tree of exceptions, each with a sentence that is fit for a user.

SkerryError
├── InvalidRequest          a parameter or a value is wrong; `field` names it
│   ├── InvalidConfiguration    the pipeline's file is wrong; `diagnostics` say where and why
│   └── InvalidReport           a report that a job uploaded cannot be taken
├── NotFound                there is no such thing, or the caller may not know of it; `what` names the kind
├── NotAllowed              the caller is known and may not do this
├── Conflict                it cannot be done in the state that things are in
│   ├── NotRetryable  NotPlayable  NotErasable  NotCancelable
│   └── AlreadyExists
├── LimitExceeded           too large, too long or too many; `limit` is the bound
└── StorageFull             the disk or the quota is full; nothing was written

The edges translate them: an API's `errors.py` maps each class to its dialect's status and body.
"""

from collections.abc import Sequence


class SkerryError(Exception):
    """Anything that Skerry refuses on purpose. `str()` of it is a sentence for a user."""


class InvalidRequest(SkerryError):
    """A parameter or value is wrong. `field` is its name as the caller wrote it, or None."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidConfiguration(InvalidRequest):
    """A pipeline's configuration does not compile. `diagnostics` is a sequence of `dialects.diagnostics.Diagnostic`."""

    def __init__(self, message: str, diagnostics: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class InvalidReport(InvalidRequest):
    """A report that a job uploaded cannot be taken."""


class NotFound(SkerryError):
    """There is no such thing, or the caller may not know of it. `what`: "Project", "Job" …"""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")
        self.what = what


class NotAllowed(SkerryError):
    """The caller is known and may not do this."""


class Conflict(SkerryError):
    """It cannot be done in the state that things are in."""


class NotRetryable(Conflict):
    """The job has not ended, or was retried already."""


class NotPlayable(Conflict):
    """The job is not one that waits for a person."""


class NotErasable(Conflict):
    """The job has not ended, or there is nothing left of it to erase."""


class NotCancelable(Conflict):
    """The job or pipeline has ended."""


class AlreadyExists(Conflict):
    """A row of that name is there. `field` is what has to differ."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class LimitExceeded(SkerryError):
    """Too large, too long or too many. `limit` is the bound, in the unit that the message names."""

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


class StorageFull(SkerryError):
    """The disk is full. Nothing was written."""
