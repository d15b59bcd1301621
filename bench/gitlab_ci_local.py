"""From `git push` to green with a checkout, against `gitlab-ci-local` with Podman, which runs the same commit of the
same project in a clone of it, as the runner's user, with the same image; turn by turn.

Ours begins when git is started and ends when the API says success; the peer's figure is its whole command, whose start
alone takes half a second of Node.js. It is installed from the npm registry into a temporary folder and needs node, npm
and rsync; where it cannot be had, the row says so and has no figure of it. Later versions than this one want Node.js
22. Noise: its start on two cores, a third of the figure.
"""

import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.place import Place
from bench.push_to_green import made, push
from bench.table import Row

RUNS = 5
PACKAGE = "gitlab-ci-local@4.73.0"
PROGRAMS = ("node", "npm", "rsync")
INSTALL_SECONDS = 300.0


class NotToBeHadError(Exception):
    """The peer cannot be measured here; the message says why."""


def run(place: Place) -> list[Row]:
    """The one row."""
    what, aim = "`git push` → green, with checkout, beside gitlab-ci-local", "3 × faster"
    with ExitStack() as stack:
        repository = made(place, "bench/local")
        folder = Path(place.user.run(["mktemp", "-d", f"{place.user.home}/bench-XXXXXX"]).stdout.strip())
        stack.callback(place.user.run, ["podman", "unshare", "rm", "-rf", folder])
        try:
            program = _installed(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skerry-bench-"))))
        except NotToBeHadError as error:
            return [Row(what, [push(repository, number) for number in range(RUNS)], f"not measured: {error}", [], aim)]
        clone = folder / "project"
        place.user.run(["git", "clone", "-q", repository.push_url, clone])
        ours, peer = [], []
        there = _volumes(place)
        stack.callback(lambda: _remove(place, _volumes(place) - there))
        for number in range(RUNS + 1):
            ours.append(push(repository, number))
            peer.append(_local(place, program, clone))
    return [Row(what, ours[1:], "gitlab-ci-local, Podman", peer[1:], aim)]


def _installed(folder: Path) -> Path:
    """The peer's program, installed into `folder`. Raises NotToBeHadError."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise NotToBeHadError(f"{', '.join(missing)} not installed")
    folder.chmod(0o755)
    words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), PACKAGE]
    try:
        subprocess.run(words, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotToBeHadError("the npm registry does not give it") from error
    return folder / "node_modules" / ".bin" / "gitlab-ci-local"


def _local(place: Place, program: Path, clone: Path) -> float:
    """Seconds of the whole command, on the commit that was pushed last."""
    place.user.run(["git", "pull", "-q"], cwd=clone)
    words = [program, "--container-executable", "podman", "--pull-policy", "if-not-present"]
    begun = time.perf_counter()
    done = place.user.run([*words, "--helper-image", place.image], cwd=clone)
    taken = time.perf_counter() - begun
    if "PASS" not in done.stdout:
        raise RuntimeError(f"gitlab-ci-local ran no job: {done.stdout}")
    return taken


def _volumes(place: Place) -> set[str]:
    """The peer's volumes; it leaves them with Podman, and the containers that use them."""
    return set(place.user.run(["podman", "volume", "ls", "-q", "--filter", "name=gcl-"]).stdout.split())


def _remove(place: Place, volumes: set[str]) -> None:
    """Remove volumes with the containers that use them."""
    if volumes:
        place.user.run(["podman", "volume", "rm", "--force", *sorted(volumes)])
