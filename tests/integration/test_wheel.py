"""The wheel is a whole installation, also from a folder that holds an `app` of its own.

What it depends on is not fetched again: that the locked packages are enough for both programs is what
setup/test_fresh_clone.py shows.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.integration.stack import ROOT, free_port, wait_until

pytestmark = pytest.mark.installation

PIP = ["-m", "pip", "--disable-pip-version-check", "-q"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *PIP, *words], check=True)
    return next(folder.glob("skerry-*.whl"))


def test_the_wheel_holds_both_programs_and_the_pages_and_nothing_at_the_top_but_them(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"app", "runner", "wsgi.py"}
    assert any(name.startswith("app/_assets/templates/") for name in names)
    assert any(name.startswith("app/_assets/static/") for name in names)
    assert any(name.startswith("app/migrations/versions/0001") for name in names)


def test_the_wheel_asks_for_what_the_project_depends_on_and_the_lock_has_all_of_it(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    asked = re.findall(r"^Requires-Dist: (.*)$", archive.read(name).decode(), re.MULTILINE)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set(map(Requirement, asked)) == set(map(Requirement, wanted))
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement


def test_the_wheel_serves_from_a_folder_with_a_decoy_app(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, *PIP, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    (dependencies,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (dependencies / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    decoy = tmp_path / "somewhere" / "app"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise RuntimeError('the decoy was imported')\n")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "SKERRY_DATA_DIR": str(tmp_path / "data"),
        "SKERRY_BIND": f"127.0.0.1:{port}",
    }
    skerry = tmp_path / "venv" / "bin" / "skerry"
    subprocess.run([skerry, "init"], cwd=decoy.parent, env=environment, check=True)
    server = subprocess.Popen([skerry, "serve"], cwd=decoy.parent, env=environment)
    try:
        page = wait_until("the sign-in page is served", lambda: _page(f"http://127.0.0.1:{port}/-/sign_in"))
        assert b"<form" in page
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait(timeout=20)
    version = subprocess.run(
        [tmp_path / "venv" / "bin" / "skerry-runner", "--version"], cwd=decoy.parent, capture_output=True, check=True
    )
    assert b"0." in version.stdout


def _page(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()
    except OSError:
        return None
