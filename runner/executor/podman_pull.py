"""One pull of an image, which a cancel or a time limit can cut off."""

import contextlib
import http.client
import json
import socket
import threading
from urllib.parse import urlencode

from runner.executor.podman_api import BASE, PodmanClient, UnixConnection, message_of
from runner.executor.registry_logins import Login


class Pull:
    """One pull. `error` is "" when it went well. Podman stops pulling when the connection goes. `platform` is
    OS/ARCHITECTURE[/VARIANT].
    """

    def __init__(
        self, client: PodmanClient, name: str, login: Login | None = None, platform: str | None = None
    ) -> None:
        self.done = threading.Event()
        self.error = ""
        self._name = name
        self._platform = dict(zip(("OS", "Arch", "Variant"), platform.split("/") if platform else (), strict=False))
        self._headers = {"X-Registry-Auth": login.header} if login else {}
        self._connection = UnixConnection(client.path, timeout=3600)

    def run(self) -> None:
        try:
            self.error = self._read()
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            self.error = f"pulling {self._name} was interrupted: {error}"
        finally:
            self._connection.close()
            self.done.set()

    def abort(self) -> None:
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def _read(self) -> str:
        query = urlencode({"reference": self._name, "policy": "always"} | self._platform)
        self._connection.request("POST", f"{BASE}/images/pull?{query}", headers=self._headers)
        answer = self._connection.getresponse()
        if answer.status >= 400:
            return message_of(answer.read())
        for line in answer:
            report = json.loads(line) if line.strip() else {}
            if report.get("error"):
                return str(report["error"])
        return ""
