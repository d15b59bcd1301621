"""A log of 50 MB, printed at full speed, against `podman run … > file` with the same image and the same bytes.

Ours begins when the script starts `cat` and ends when the job has ended for the server: all bytes are masked, kept by
the runner, sent, checked and stored by then, and every one of them is compared with what was printed. The peer begins
at the same moment and ends when the file grew last; its log driver is `none`, or it would write everything twice.
Noise: the disk's write-back, as both write 50 MB (ours at both ends), and two cores for five processes that pass it on.
"""

import re
from datetime import datetime
from pathlib import Path

from bench.place import Place
from bench.table import SPEED, Row
from tests.integration.stack import make_repository

RUNS = 5
LINES = 500_000
LINE = "%07d the quick brown seal slides over the wet rock and into the sea, again and again, and dives ok\n"
SIZE = LINES * len(LINE % 0)
BEGIN = "printing begins at "
WRITE = f"awk 'BEGIN {{ for (i = 1; i <= {LINES}; i++) printf \"{LINE[:-1]}\\n\", i }}' >/tmp/big"
CONFIGURATION = """
image: {image}
variables: {{GIT_STRATEGY: none}}
big:
  script:
    - |
      {write}
      echo {begin}$EPOCHREALTIME
      cat /tmp/big
"""


def run(place: Place) -> list[Row]:
    """The one row."""
    expected = "".join(LINE % number for number in range(1, LINES + 1)).encode()
    repository = make_repository(place.server, "bench/big-log", place.folder / "big-log")
    configuration = CONFIGURATION.format(image=place.image, write=WRITE, begin=BEGIN)
    ours = []
    for number in range(RUNS + 1):
        pipeline = repository.run(configuration, {"file": str(number)}, seconds=300)
        job = repository.jobs(pipeline["id"])["big"]
        begun = printed(repository.trace(job), expected, "the job's log")
        ours.append(SIZE / 1e6 / (datetime.fromisoformat(job["finished_at"]).timestamp() - begun))
    limit = [_peer(place, expected) for _ in range(RUNS + 1)]
    what = f"a log of {SIZE / 1e6:.0f} MB, printed at full speed, until it is stored"
    return [Row(what, ours[1:], "`podman run … > file`", limit[1:], "50 %", SPEED)]


def printed(text: bytes, expected: bytes, where: str) -> float:
    """When the printing began, in seconds since 1970; fails unless all of `expected` comes next, byte for byte."""
    found = re.search(rb"^" + BEGIN.encode() + rb"([0-9.]+)\n", text, re.MULTILINE)
    rest = text[found.end() :] if found else b""
    if found is None or not rest.startswith(expected):
        raise RuntimeError(f"{where} is not what was printed")
    return float(found.group(1))


def _peer(place: Place, expected: bytes) -> float:
    """MB a second of `podman run`."""
    file = Path(place.user.run(["mktemp"]).stdout.strip())
    script = f"{WRITE}; echo {BEGIN}$EPOCHREALTIME; cat /tmp/big"
    words = ["podman", "run", "--rm", "--log-driver=none", place.image, "bash", "-c", script]
    try:
        with file.open("wb") as output:
            place.user.run(words, capture_output=False, stdout=output)
        return SIZE / 1e6 / (file.stat().st_mtime - printed(file.read_bytes(), expected, "podman's output"))
    finally:
        file.unlink()
