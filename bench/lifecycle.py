"""The limit that a job is measured against: the bare life of one container over Podman's REST API, run as the
runner's user.

create, attach, start, end of output, remove with force, one after another, of the image that the jobs use, running
`true`. Noise: the first run warms the page cache and is dropped; the rest spreads by about a third.
"""

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runner.executor.podman_api import PodmanClient

RUNS = 12


def lifecycle(client: PodmanClient, image: str) -> float:
    """Seconds from nothing to the container's removal."""
    begun = time.perf_counter()
    specification = {"image": image, "command": ["true"], "init": True, "netns": {"nsmode": "slirp4netns"}}
    made = client.request("POST", "/containers/create", specification)
    stream = client.attach(made["Id"])
    client.request("POST", f"/containers/{made['Id']}/start")
    while stream.read(10) is not None:
        pass
    stream.close()
    client.request("DELETE", f"/containers/{made['Id']}", query={"force": "true", "timeout": "0"})
    return time.perf_counter() - begun


def rate(socket: Path, image: str, at_once: int) -> float:
    """Containers a second, so many at a time, each slot with a connection of its own."""

    def slot(_number: int) -> None:
        client = PodmanClient(socket)
        for _ in range(RUNS):
            lifecycle(client, image)

    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(slot, range(at_once)))
    return RUNS * at_once / (time.perf_counter() - begun)


def main(image: str, at_once: int = 1) -> None:
    """Print the samples as JSON: seconds of each, or with more `at_once` the rate of all."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "podman.sock"
        subprocess.run(["podman", "info"], check=True, stdout=subprocess.DEVNULL)
        service = subprocess.Popen(["podman", "system", "service", "--time", "0", f"unix://{socket}"])
        try:
            while not socket.exists():
                time.sleep(0.02)
            if at_once > 1:
                samples = [rate(socket, image, at_once)]
            else:
                client = PodmanClient(socket)
                samples = [lifecycle(client, image) for _ in range(RUNS + 1)][1:]
        finally:
            service.terminate()
            service.wait()
    print(json.dumps(samples))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
