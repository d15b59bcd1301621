"""`skerry serve` as a process of its own, which tests may kill and start again on the same data and port."""

import os
import signal
import socket
import time
from pathlib import Path

import requests

from tests.support.programs import start_program

ROOT = Path(__file__).resolve().parents[2]


class Served:
    """One server process. `url` stays the same over restarts."""

    def __init__(self, data_dir, database_url, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir / "serve.log"
        self.environment = os.environ | {
            "SKERRY_DATA_DIR": str(data_dir),
            "SKERRY_DATABASE_URL": database_url,
            "SKERRY_BIND": f"127.0.0.1:{self.port}",
            **{f"SKERRY_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process = None

    def start(self):
        self.process = start_program("serve", environment=self.environment, log=self.log, folder=ROOT)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if requests.get(f"{self.url}/-/ready", timeout=5).status_code == 200:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(f"the server is not ready: {self.log.read_text()}")

    def kill(self):
        """SIGKILL, for the master and its workers at once, as when the host loses them."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        """SIGTERM; return how many seconds it took to end."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - started

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
