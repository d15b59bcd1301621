"""The calls that a running job makes with its own token (gitlab.md A.4 to A.6)."""

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from runner.protocol.client import message_of
from runner.protocol.outcomes import (
    JobAnswer,
    Outcome,
    clamp_interval,
    download_outcome,
    patch_outcome,
    range_size,
    update_outcome,
    upload_outcome,
)
from runner.protocol.transport import Transport, UnreachableError, redirect_target

TRANSFER_TIMEOUT = 600.0
_PIECE = 256 * 1024


class JobClient:
    """One job at its server. `stop` ends waiting between tries inside a call."""

    def __init__(self, transport: Transport, job_id: int, token: str, info: Mapping[str, Any]) -> None:
        self._transport = transport
        self._path = f"/jobs/{job_id}"
        self._headers = {"JOB-TOKEN": token}
        self._body = {"token": token, "info": dict(info)}
        self.debug_trace = False
        self.stop = threading.Event()

    def update(
        self,
        state: str,
        *,
        failure_reason: str = "",
        exit_code: int = 0,
        checksum: str = "",
        size: int | None = None,
        steps: Sequence[Mapping[str, Any]] | None = None,
        attempts: int = 5,
    ) -> JobAnswer:
        """PUT the job's state: running, success, failed or pending. Empty values are left out, as the
        protocol has it.
        """
        body: dict[str, Any] = {**self._body, "state": state, "output": {}}
        if failure_reason:
            body["failure_reason"] = failure_reason
        if exit_code:
            body["exit_code"] = exit_code
        if checksum:
            body["checksum"] = checksum
            body["output"] = {"checksum": checksum, "bytesize": size or 0}
        if steps is not None:
            body["steps"] = list(steps)
        try:
            response = self._transport.request(
                "PUT", self._path, json=body, headers=self._headers, stop=self.stop, attempts=attempts
            )
        except UnreachableError as error:
            return JobAnswer(Outcome.RETRY, detail=str(error))
        # After a final state the job's status is that state, and no order to stop.
        return _answer(response, update_outcome(response.status_code), steered=state in ("running", "pending"))

    def patch_trace(self, start: int, data: bytes) -> JobAnswer:
        """Append `data` to the log, which the server should have up to `start`."""
        headers = {
            **self._headers,
            "Content-Type": "text/plain",
            "Content-Range": f"{start}-{start + len(data) - 1}",
        }
        params = {"debug_trace": "true" if self.debug_trace else "false"}
        try:
            response = self._transport.request(
                "PATCH", f"{self._path}/trace", body=lambda: data, params=params, headers=headers, stop=self.stop
            )
        except UnreachableError as error:
            return JobAnswer(Outcome.RETRY, detail=str(error))
        return _answer(response, patch_outcome(response.status_code))

    def upload(self, path: Path, filename: str, query: Mapping[str, str]) -> JobAnswer:
        """Send a file as chunked multipart with the one part `file`; one try, the file is never in memory."""
        boundary = secrets.token_hex(16)
        headers = {**self._headers, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        try:
            response = self._transport.request(
                "POST",
                f"{self._path}/artifacts",
                body=lambda: _multipart(path, filename, boundary, self.stop),
                params=dict(query),
                headers=headers,
                timeout=TRANSFER_TIMEOUT,
                attempts=1,
            )
        except UnreachableError as error:
            return JobAnswer(Outcome.RETRY, detail=str(error))
        return _answer(response, upload_outcome(response.status_code))

    def download(self, job_id: int, token: str, target: Path, direct: bool) -> JobAnswer:
        """Fetch another job's artifacts into `target`; one try. `direct` lets the server send us to its
        object storage.
        """
        params = {"direct_download": "true"} if direct else {}
        try:
            response = self._transport.request(
                "GET",
                f"/jobs/{job_id}/artifacts",
                params=params,
                headers={"JOB-TOKEN": token},
                timeout=TRANSFER_TIMEOUT,
                stream=True,
                attempts=1,
            )
            with response:
                if response.is_redirect:
                    return self._follow(response, target)
                return _receive(response, target, self.stop)
        except (UnreachableError, requests.RequestException) as error:
            return JobAnswer(Outcome.RETRY, detail=type(error).__name__)

    def _follow(self, response: requests.Response, target: Path) -> JobAnswer:
        """Object storage gets no token of ours: its address carries what it needs."""
        location = redirect_target(response)
        if not location.startswith(("https://", "http://")):
            return JobAnswer(Outcome.REFUSED, detail="redirected to an address that is not http")
        with self._transport.fetch_elsewhere(location, TRANSFER_TIMEOUT) as stored:
            return _receive(stored, target, self.stop)


def _receive(response: requests.Response, target: Path, stop: threading.Event) -> JobAnswer:
    outcome = download_outcome(response.status_code)
    if outcome is not Outcome.OK:
        return JobAnswer(outcome, detail=message_of(response))
    received = 0
    with target.open("wb") as file:
        for piece in response.iter_content(_PIECE):
            received += file.write(piece)
            if stop.is_set():
                return JobAnswer(Outcome.RETRY, detail="the download was stopped")
    expected = response.headers.get("Content-Length", "")
    if expected.isdigit() and "Content-Encoding" not in response.headers and int(expected) != received:
        return JobAnswer(Outcome.RETRY, detail=f"cut off after {received} of {expected} bytes")
    return JobAnswer(Outcome.OK, size=received)


def _multipart(path: Path, filename: str, boundary: str, stop: threading.Event) -> Iterator[bytes]:
    quoted = filename.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
    yield (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if stop.is_set():
                raise UnreachableError("the upload was stopped")
            yield piece
    yield f"\r\n--{boundary}--\r\n".encode()


def _answer(response: requests.Response, outcome: Outcome, steered: bool = True) -> JobAnswer:
    status = response.headers.get("Job-Status", "") if steered else ""
    if status in ("canceled", "failed") and outcome in (Outcome.OK, Outcome.PENDING):
        outcome = Outcome.ABORT
    return JobAnswer(
        outcome=outcome,
        canceling=status == "canceling",
        interval=clamp_interval(response.headers.get("X-GitLab-Trace-Update-Interval")),
        size=range_size(response.headers.get("Range")),
        detail="" if outcome is Outcome.OK else message_of(response),
    )
