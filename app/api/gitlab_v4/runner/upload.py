"""A multipart body whose file goes straight to where it will stay, hashed on the way."""

from dataclasses import dataclass
from time import monotonic

from flask import request
from werkzeug.exceptions import BadRequest

from app.api.gitlab_v4.runner.multipart import Multipart, Write
from app.api.gitlab_v4.runner.parameters import text
from app.services.artifacts.store_artifact import keep_lease
from app.services.core import Core
from app.storage.base import Incoming, Stored

#: What a multipart body may be larger than the file in it.
OVERHEAD = 1 << 20
#: The lease of a job that uploads is renewed so often, in seconds.
RENEW_EVERY = 30.0
_ONE_FILE = "the body needs exactly one file, called `file`"


class _Sink:
    """Takes the file, and keeps the lease of its job meanwhile."""

    def __init__(self, core: Core, job_id: int, incoming: Incoming) -> None:
        self._core, self._job_id, self._incoming = core, job_id, incoming
        self._renew_at = monotonic() + RENEW_EVERY

    def write(self, data: memoryview | bytes) -> None:
        if monotonic() > self._renew_at:
            keep_lease(self._core, self._job_id)
            self._core.session.close()
            self._renew_at = monotonic() + RENEW_EVERY
        self._incoming.write(data)


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came: its name, where it lies, and the form's other fields."""

    filename: str
    stored: Stored
    fields: dict[str, str]


def receive(core: Core, job_id: int) -> Received:
    """Store the part `file` of the current request.

    Raises BadRequest where the body is no multipart with a file or was cut off, LimitExceeded, StorageFull. Holds no
    connection to the database meanwhile.
    """
    core.session.close()
    request.max_content_length = core.config.artifact_limit + OVERHEAD
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise BadRequest("the body is no multipart form")
    with core.artifacts.receive(core.config.artifact_limit) as incoming:
        names: list[tuple[str | None, str]] = []

        def on_file(part: str | None, name: str) -> Write:
            names.append((part, name))
            if len(names) > 1:
                raise BadRequest(_ONE_FILE)
            return _Sink(core, job_id, incoming).write

        try:
            form = Multipart(request.stream, boundary, OVERHEAD, on_file)
            form.read()
        except ValueError as error:
            raise BadRequest("the upload was cut off or is malformed") from error
        if [part for part, _ in names] != ["file"]:
            raise BadRequest(_ONE_FILE)
        return Received(file_name(names[0][1]), incoming.keep(), form.fields)


def file_name(given: str) -> str:
    """The last part of a file's name, without what no file system or header takes."""
    name = text(given).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:200].strip(". ") or "artifacts.zip"
