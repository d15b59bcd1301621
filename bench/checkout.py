"""The sources of a job for which the object cache is warm: 200 MB in 4,000 files, one of which has changed since the
job before, against `git clone --shared` of a bare repository that is up to date already.

Ours asks the server for the new commit by HTTP, fetches it into the cache, and checks it out into a fresh tree that
borrows the cache's objects; the peer has no server to ask and nothing to fetch. Both are run as the runner's user, one
after the other, on the same file system; trees are removed in between, off the clock. Noise: the disk's write-back, as
each run writes 200 MB.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.place import Place
from bench.table import Row
from runner.workspace.base import Sources
from runner.workspace.local import LocalWorkspaces
from tests.integration.stack import make_repository

RUNS = 5
FILES, SIZE, PUSHED = 4_000, 50_000, 500


def run(place: Place) -> list[Row]:
    """The one row."""
    repository = make_repository(place.server, "bench/checkout", place.folder / "checkout")
    chance = random.Random(1)  # the same bytes in every run
    for number in range(FILES):
        folder = repository.folder / f"folder-{number % 40:02d}"
        folder.mkdir(exist_ok=True)
        (folder / f"file-{number:04d}.bin").write_bytes(chance.randbytes(SIZE))
        if (number + 1) % PUSHED == 0:
            repository.commit({})
            repository.push()
    shas = []
    for number in range(RUNS + 2):  # the first fills the cache, the second is dropped
        shas.append(repository.commit({"changed": str(number)}))
        repository.push()
    order = {"url": f"{place.server.url}/bench/checkout.git", "password": place.server.token, "shas": shas}
    words = [sys.executable, "-m", "bench.checkout"]
    done = place.user.run(words, cwd=place.user.checkout, input=json.dumps(order), timeout=600)
    samples = json.loads(done.stdout)
    what = f"checkout of {FILES * SIZE / 1e6:.0f} MB, second job"
    return [Row(what, samples["ours"], "`git clone --shared`, warm", samples["peer"], "1.5 ×")]


def main() -> None:
    """What is done as the runner's user: take the order from standard input, print samples as JSON."""
    order: dict[str, Any] = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(dir=Path.home(), prefix="bench-") as name:
        folder = Path(name)
        workspaces = LocalWorkspaces(folder / "builds", folder / "cache")
        ours, peer = [], []
        for number, sha in enumerate(order["shas"], 1):
            ours.append(_ours(workspaces, number, sources(order["url"], order["password"], sha)))
            workspaces.settle()
            peer.append(_peer(folder, workspaces, sha))
        workspaces.close()
    print(json.dumps({"ours": ours[2:], "peer": peer[2:]}))


def sources(url: str, password: str, sha: str) -> Sources:
    """As the server asks for them: a branch, and twenty commits of it."""
    refspecs = ("+refs/heads/main:refs/remotes/origin/main",)
    return Sources(repository=url, username="admin", password=password, sha=sha, ref="main", refspecs=refspecs)


def _ours(workspaces: LocalWorkspaces, number: int, wanted: Sources) -> float:
    """Seconds until the sources of job `number` are there."""
    begun = time.perf_counter()
    workspace = workspaces.create(number, 1, "bench/checkout", 0)
    workspace.get_sources(wanted, lambda _: None, threading.Event())
    taken = time.perf_counter() - begun
    _check(workspace.path)
    workspace.remove()
    return taken


def _peer(folder: Path, workspaces: LocalWorkspaces, sha: str) -> float:
    """Seconds that `git clone --shared` takes."""
    warm, tree = folder / "warm.git", folder / "tree"
    cache = next(workspaces.cache_root.glob("*/git/bare.git"))
    if not warm.exists():
        _git(folder, "init", "-q", "--bare", "-b", "main", str(warm))
    _git(warm, "fetch", "-q", "--update-shallow", str(cache), f"+{sha}:refs/heads/main")
    begun = time.perf_counter()
    _git(folder, "clone", "-q", "--shared", str(warm), str(tree))
    taken = time.perf_counter() - begun
    _check(tree)
    shutil.rmtree(tree)
    return taken


def _check(tree: Path) -> None:
    if sum(1 for _ in tree.glob("folder-*/*")) != FILES:
        raise RuntimeError(f"{tree} is not complete")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    main()
