"""A client of another language that knows nothing of us: npm's @gitbeaker/rest, against the server over real HTTP."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import LiveServer
from tests.support.place import Place, zipped

FOLDER = Path(__file__).parent / "gitbeaker"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client and all that it needs, in the versions of the lock file."""
    folder = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FOLDER / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.node
def test_gitbeaker_does_what_a_ci_client_does(server: LiveServer, place: Place, clients: Path) -> None:
    job = place.job(name="build", status="success")
    place.log(job, b"hello\n")
    place.archive(job, zipped({"public/index.html": b"<p>"}))
    arguments = [server.url, place.tokens["owner"], place.tokens["admin"]]
    done = subprocess.run(
        ["node", str(FOLDER / "flows.mjs"), *arguments],
        env={**os.environ, "CLIENTS": str(clients)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
