"""A small client of the server's REST API, as much as the set-up needs."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from .ui import SetupError


class ApiError(SetupError):
    """The server answered, but not with what was asked for. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Talks to the server at `url` (no slash at the end) with a personal access token, past any proxy: it is local."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers = {"PRIVATE-TOKEN": token} if token else {}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> Any:
        """The JSON at /api/v4/`path`. Raises ApiError for an answer of 400 or more, SetupError when nobody answers."""
        return json.loads(self._request("GET", f"/api/v4/{path}"))

    def post(self, path: str, data: dict[str, Any]) -> Any:
        return json.loads(self._request("POST", f"/api/v4/{path}", json.dumps(data).encode()))

    def text(self, path: str) -> str:
        return self._request("GET", f"/api/v4/{path}").decode(errors="replace")

    def wait_until_ready(self, seconds: float, still_running: Callable[[], None]) -> None:
        """Returns when /-/ready answers 200; `still_running` raises when there is nothing left to wait for."""
        deadline = time.monotonic() + seconds
        said = "no answer"
        while time.monotonic() < deadline:
            still_running()
            try:
                self._request("GET", "/-/ready")
                return
            except SetupError as error:
                said = error.args[0]
            time.sleep(0.1)
        raise SetupError(f"the server at {self.url} did not become ready within {seconds:.0f} seconds: {said}")

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)  # noqa: S310 - our own http URL
        try:
            with self._opener.open(request, timeout=30) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(
                    error.code, f"{method} {path} was answered with {error.code}: {_message(error.read())}"
                ) from error
        except OSError as error:
            raise SetupError(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from error


def _message(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body[:200].decode(errors="replace").strip() or "nothing"
    return str(answer.get("message") or answer.get("error") or answer) if isinstance(answer, dict) else str(answer)
