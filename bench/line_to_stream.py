"""From a line that a job prints in its container to the same line in the event stream that the job's page reads.

The job says what time it is five times a second, in bursts that are no multiple of any pace of ours; whoever reads the
stream looks at the same clock when the line is there. On the way lie Podman's attach, the runner's masking and its
gathering, one request to the server, and one event. Noise: other work on the two cores; nothing here waits for a disk.
"""

import base64
import re
import time
from http.client import HTTPConnection

from bench.place import Place
from bench.table import Row, percentile
from tests.integration.stack import make_repository

LINES = 60
CONFIGURATION = """
image: {image}
variables: {{GIT_STRATEGY: none}}
clock:
  script:
    - for number in $(seq {lines}); do echo "now $EPOCHREALTIME"; sleep 0.2$((RANDOM % 90 + 10)); done
"""
_NOW = re.compile(rb"^now (\d+)[.,](\d{6})\r?$", re.MULTILINE)


def run(place: Place) -> list[Row]:
    """The p50 with its spread, and the p99."""
    repository = make_repository(place.server, "bench/clock", place.folder / "clock", "--visibility", "public")
    pipeline = repository.start(CONFIGURATION.format(image=place.image, lines=LINES))
    job = repository.wait_for_job(pipeline["id"], "clock", "running")
    samples = _delays(place.server.port, f"/bench/clock/-/jobs/{job['id']}/events")
    repository.must_pass(repository.wait(pipeline["id"]))
    if len(samples) < LINES - 1:
        raise RuntimeError(f"only {len(samples)} of {LINES} lines came while the stream was read")
    what = "line printed in a container → in a page's event stream"
    return [
        Row(what, samples, "–", [], "p50 200 ms"),
        Row(f"{what}, p99", [percentile(samples, 99)], "–", [], "–"),
    ]


def _delays(port: int, address: str) -> list[float]:
    """Seconds from each line's time to its arrival; the first line may have been there before the stream was."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address)
    answer, event, text, delays, seen = connection.getresponse(), b"", b"", [], 0
    while line := answer.readline():
        name, _, value = line.rstrip(b"\n").partition(b": ")
        if name == b"event":
            event = value
        elif name == b"data" and event == b"log":
            text += base64.b64decode(value)
            now, printed = time.time(), _NOW.findall(text)
            delays += [now - int(seconds) - int(micros) / 1e6 for seconds, micros in printed[seen:]]
            seen = len(printed)
        elif event == b"end":
            break
    connection.close()
    return delays[1:]
