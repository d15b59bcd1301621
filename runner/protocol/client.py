"""The calls that a runner makes in its own name: verify, unregister, ask for a job (gitlab.md A.1, A.3)."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from runner.protocol.outcomes import PollState, VerifyState
from runner.protocol.parse import parse_job
from runner.protocol.transport import Transport, UnreachableError
from runner.protocol.wire import Job, WireError

# The server parks a poll for up to 50 s; an answer that takes much longer than that is not coming.
POLL_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Poll:
    """What `jobs/request` gave. `detail` is a sentence for the runner's log. `broken` is a job that could not
    be read.
    """

    state: PollState
    job: Job | None = None
    detail: str = ""
    broken: WireError | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What `runners/verify` gave; `runner_id` is 0 where the server does not say."""

    state: VerifyState
    runner_id: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a runner that registers itself wants to be (gitlab.md A.1). `tags` are separated by commas."""

    description: str = ""
    tags: str = ""
    run_untagged: bool = False
    locked: bool = False
    paused: bool = False

    def as_json(self) -> dict[str, object]:
        texts = {"description": self.description, "tag_list": self.tags}
        flags = {"run_untagged": self.run_untagged, "locked": self.locked, "paused": self.paused}
        return {**{key: value for key, value in texts.items() if value}, **flags}


class RunnerClient:
    """One runner token at one server. Safe to share between threads; each poller should have its own for half
    closing.
    """

    def __init__(
        self,
        transport: Transport,
        token: str,
        system_id: str,
        info: Mapping[str, Any],
        extensions: frozenset[str] = frozenset(),
    ) -> None:
        self._transport = transport
        self._identity = {"token": token, "system_id": system_id}
        self._headers = {"RUNNER-TOKEN": token, "Accept": "application/json"}
        self._info = dict(info)
        self._last_update = ""
        self.extensions = extensions  # what the server said of itself in `X-Skerry-Features`, last time it did

    def verify(self) -> Verification:
        """Ask whether the token is valid, and tell the server what this runner can do."""
        body = {**self._identity, "info": self._info}
        try:
            response = self._transport.request("POST", "/runners/verify", json=body, headers=self._headers)
        except UnreachableError as error:
            return Verification(VerifyState.UNKNOWN, detail=f"the server cannot be reached: {error}")
        self._note(response)
        if response.status_code in (200, 201):
            document = _json(response)
            runner_id = document.get("id") if isinstance(document, Mapping) else 0
            return Verification(VerifyState.VALID, runner_id if isinstance(runner_id, int) else 0)
        if response.status_code in (401, 403, 404, 422):
            return Verification(VerifyState.INVALID, detail=message_of(response))
        return Verification(VerifyState.UNKNOWN, detail=message_of(response))

    def register(self, wishes: Wishes) -> tuple[str, str]:
        """Make a runner with this client's token, a registration token. Returns the new runner's token and "", or ""
        and the server's words.
        """
        body = {**wishes.as_json(), "token": self._identity["token"], "info": self._info}
        try:
            response = self._transport.request("POST", "/runners", json=body, headers=self._headers)
        except UnreachableError as error:
            return "", f"the server cannot be reached: {error}"
        document = _json(response) if response.status_code == 201 else None
        token = document.get("token") if isinstance(document, Mapping) else None
        return (token, "") if isinstance(token, str) and token else ("", message_of(response))

    def unregister(self) -> tuple[bool, str]:
        """Delete the runner at the server. (True, "") when it is gone, else False and the server's words."""
        try:
            response = self._transport.request("DELETE", "/runners", json=self._identity, headers=self._headers)
        except UnreachableError as error:
            return False, f"the server cannot be reached: {error}"
        return response.status_code in (200, 204), message_of(response)

    def request_job(self, stop: threading.Event) -> Poll:
        """Ask for a job; the server may take its time. In-call retries end when `stop` is set."""
        body: dict[str, Any] = {**self._identity, "info": self._info}
        if self._last_update:
            body["last_update"] = self._last_update
        try:
            response = self._transport.request(
                "POST", "/jobs/request", json=body, headers=self._headers, timeout=POLL_TIMEOUT, stop=stop
            )
        except UnreachableError as error:
            return Poll(PollState.ERROR, detail=f"the server cannot be reached: {error}")
        self._note(response)
        return _poll(response)

    def half_close(self) -> None:
        """Tell the server that nobody waits for a job any more; one that is on its way can still be read."""
        self._transport.connections.half_close()

    def close(self) -> None:
        self._transport.close()

    def _note(self, response: requests.Response) -> None:
        self._last_update = response.headers.get("X-GitLab-Last-Update") or self._last_update
        words = response.headers.get("X-Skerry-Features")
        if words is not None:
            self.extensions = frozenset(words.replace(",", " ").split())


def _poll(response: requests.Response) -> Poll:
    status = response.status_code
    if status == 201:
        try:
            return Poll(PollState.JOB, parse_job(_json(response)))
        except WireError as error:
            return Poll(PollState.ERROR, detail=str(error), broken=error if error.job_id is not None else None)
    if status == 204:
        return Poll(PollState.NONE)
    if status == 403:
        return Poll(PollState.UNHEALTHY, detail=message_of(response))
    if status == 409:
        return Poll(PollState.NONE, detail="another runner was faster")
    return Poll(PollState.ERROR, detail=message_of(response))


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def message_of(response: requests.Response) -> str:
    """One line for a log: the status, and what the body's `message` says (gitlab.md A.0)."""
    document = _json(response)
    message = document.get("message") if isinstance(document, Mapping) else None
    words = f"{response.status_code} {response.reason or ''}".strip()
    return f"{words} ({str(message)[:300]})" if message else words
