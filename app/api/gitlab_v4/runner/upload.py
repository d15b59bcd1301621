"""A multipart body whose file goes straight to where it will stay, hashed on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import IO

from flask import request
from multipart import MultipartError, MultipartSegment, PushMultipartParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from app.api.gitlab_v4.runner.body import reading
from app.api.gitlab_v4.runner.parameters import text
from app.services.artifacts.store_artifact import keep_lease
from app.services.core import Core
from app.storage.base import Incoming, Stored

#: What a multipart body may be larger than the file in it.
OVERHEAD = 1 << 20
#: The lease of a job that uploads is renewed so often, in seconds.
RENEW_EVERY = 30.0
#: What is read at once: few enough to stay in the processor's cache.
PIECE = 128 * 1024
MOST_PARTS = 100
_ONE_FILE = "the body needs exactly one file, called `file`"


class _Form:
    """The parts of a form as they come: the fields are kept, the file goes to `incoming`, and the lease of its job is
    kept meanwhile.
    """

    def __init__(self, core: Core, job_id: int, incoming: Incoming) -> None:
        self._core, self._job_id, self._incoming = core, job_id, incoming
        self._renew_at = monotonic() + RENEW_EVERY
        self._fields: dict[str, bytearray] = {}
        self._take: Callable[[bytes], object] = partial(self._keep, bytearray())
        self._left = OVERHEAD
        self.file_name: str | None = None

    def read(self, stream: IO[bytes], boundary: str) -> None:
        """To the last boundary. Raises MultipartError, BadRequest, 413, LimitExceeded, StorageFull."""
        with PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
            while not parser.closed:
                with reading():
                    piece = stream.read(PIECE)
                for event in parser.parse(piece):
                    if isinstance(event, MultipartSegment):
                        self._begin(event)
                    elif event:
                        self._take(event)

    @property
    def fields(self) -> dict[str, str]:
        """The parts that are no files, the first of each name."""
        return {name: value.decode("utf-8", "replace") for name, value in self._fields.items()}

    def _begin(self, part: MultipartSegment) -> None:
        if part.filename is None:
            value = bytearray()
            self._take = partial(self._keep, value)
            self._fields.setdefault(part.name or "", value)
        elif part.name != "file" or self.file_name is not None:
            raise BadRequest(_ONE_FILE)
        else:
            self.file_name, self._take = part.filename, self._pass_on

    def _keep(self, value: bytearray, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise RequestEntityTooLarge
        value.extend(data)

    def _pass_on(self, data: bytes) -> None:
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
        form = _Form(core, job_id, incoming)
        try:
            form.read(request.stream, boundary)
        except MultipartError as error:
            raise BadRequest("the upload was cut off or is malformed") from error
        if form.file_name is None:
            raise BadRequest(_ONE_FILE)
        return Received(file_name(form.file_name), incoming.keep(), form.fields)


def file_name(given: str) -> str:
    """The last part of a file's name, without what no file system or header takes."""
    name = text(given).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:200].strip(". ") or "artifacts.zip"
