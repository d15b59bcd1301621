"""A multipart body whose file goes straight to where it will stay, hashed on the way."""

import io
from dataclasses import dataclass
from time import monotonic
from typing import IO, Any, cast

from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser

from app.api.gitlab_v4.runner.body import Body
from app.api.gitlab_v4.runner.parameters import text
from app.services.artifacts.store_artifact import keep_lease
from app.services.core import Core
from app.storage.base import Incoming, Stored

#: What a multipart body may be larger than the file in it.
OVERHEAD = 1 << 20
#: The lease of a job that uploads is renewed so often, in seconds.
RENEW_EVERY = 30.0


class _Sink(io.RawIOBase):
    """What the parser writes a part to: the incoming file, or nothing."""

    def __init__(self, core: Core, job_id: int, incoming: Incoming | None) -> None:
        self._core, self._job_id, self._incoming = core, job_id, incoming
        self._renew_at = monotonic() + RENEW_EVERY

    def write(self, data: Any) -> int:
        if self._incoming is None:
            return len(data)
        if monotonic() > self._renew_at:
            keep_lease(self._core, self._job_id)
            self._core.session.close()
            self._renew_at = monotonic() + RENEW_EVERY
        return self._incoming.write(bytes(data))

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0  # the parser rewinds what it has written; nobody reads it here


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
    with core.artifacts.receive(core.config.artifact_limit) as incoming:
        names: list[str] = []

        def sink(
            total_content_length: int | None,
            content_type: str | None,
            filename: str | None,
            content_length: int | None = None,
        ) -> Any:
            names.append(filename or "")
            return _Sink(core, job_id, incoming if len(names) == 1 else None)

        parser = FormDataParser(stream_factory=sink, max_form_memory_size=OVERHEAD, max_form_parts=100, silent=False)
        body, kind, length = Body(request.stream), request.mimetype, request.content_length
        try:
            _, form, files = parser.parse(cast(IO[bytes], body), kind, length, request.mimetype_params)
        except ValueError as error:
            raise BadRequest("the upload was cut off or is malformed") from error
        if "file" not in files or len(names) > 1:
            raise BadRequest("the body needs exactly one file, called `file`")
        return Received(file_name(names[0]), incoming.keep(), form.to_dict())


def file_name(given: str) -> str:
    """The last part of a file's name, without what no file system or header takes."""
    name = text(given).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:200].strip(". ") or "artifacts.zip"
