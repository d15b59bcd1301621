"""The programs of LayerCI's documents, as they stand there: only host and token are put in, and curl's quotes mended.

The commit that they name is in no repository of ours: as they stand they are told so, with one of ours they work.
Faraday's are run where Ruby has it, Node's where there is Node: neither is needed to work on Skerry, but under CI.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.domain import calculated_status as calculated
from tests.conftest import LiveServer
from tests.factories import make_pipeline
from tests.support.layerci import LayerCi

HERE = Path(__file__).parent / "snippets"
THEIR_COMMIT = "9abc2ac68d52afe1a5a3fbc724d031af5a397204"
CI = os.environ.get("CI") == "true"
NODE = pytest.mark.skipif(not CI and shutil.which("node") is None, reason="Node is not installed")


def has_faraday() -> bool:
    ruby = shutil.which("ruby")
    return ruby is not None and subprocess.run([ruby, "-rfaraday", "-e", ""], capture_output=True).returncode == 0


FARADAY = pytest.mark.skipif(not CI and not has_faraday(), reason="Ruby's Faraday is not installed")
LANGUAGES = ["py", "sh", pytest.param("js", marks=NODE), pytest.param("rb", marks=FARADAY)]


#: How each program is run, and made to tell what it got, as JSON; `{}` is its file. Node's prints, Python's only knows.
COMMANDS = {
    "py": (
        sys.executable,
        "-c",
        "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['res']))",
        "{}",
    ),
    "sh": ("bash", "{}"),
    "js": ("node", "--require", "./print_json.js", "{}"),
    "rb": ("ruby", "-e", "eval(File.read(ARGV[0]) + 'puts res.to_json')", "{}"),
}


def run(language: str, program: str, folder: Path) -> Any:
    """What the program got from the API."""
    path = folder / f"program.{language}"
    path.write_text(program)
    (folder / "print_json.js").write_text("console.log = found => process.stdout.write(JSON.stringify(found))")
    (folder / "python").symlink_to(sys.executable)  # the documents say `python`
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    command = [word.replace("{}", str(path)) for word in COMMANDS[language]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def snippet(layerci: LayerCi, server: LiveServer) -> Any:
    def read(name: str) -> str:
        text = (HERE / f"{name}.txt").read_text()
        assert text.count("https://layerci.com") == 1
        text, tokens = re.subn(r"\(your API key\)", layerci.token, text, flags=re.IGNORECASE)
        assert tokens == 1
        text = re.sub(r"curl '(.*\$\{my_token\})'", r'curl "\1"', text)
        return text.replace("https://layerci.com", server.url)

    return read


@pytest.mark.parametrize("language", LANGUAGES)
def test_searching(layerci: LayerCi, snippet: Any, tmp_path: Path, language: str) -> None:
    run_ = make_pipeline(layerci.core, layerci.project, status="success", ref="master")
    layerci.set(run_, calculated_status=calculated.SUCCEEDED)
    make_pipeline(layerci.core, layerci.project, status="running", ref="master")
    found = run(language, snippet(f"search.{language}"), tmp_path)
    assert found["status"] == "ok"
    assert (found["job"]["id"], found["job"]["calculated_status"]) == (1, "SUCCEEDED")


@pytest.mark.parametrize("language", LANGUAGES)
def test_searching_in_vain(snippet: Any, tmp_path: Path, language: str) -> None:
    assert run(language, snippet(f"search.{language}"), tmp_path) == {
        "status": "error",
        "error": "There are no runs in layerdemo/repo_name matching the given filters.",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_creating(layerci: LayerCi, snippet: Any, tmp_path: Path, language: str) -> None:
    sha = layerci.checkout.git("rev-parse", "HEAD")
    made = run(language, snippet(f"create.{language}").replace(THEIR_COMMIT, sha), tmp_path)
    assert (made["status"], made["job"]["branch"], made["job"]["commit_sha"]) == ("ok", "master", sha)
    assert {job.name: job.when for job in layerci.run(1).jobs} == {
        "build": "on_success",
        "run-and-deploy": "on_success",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_creating_with_a_commit_that_is_not_there(
    layerci: LayerCi, snippet: Any, tmp_path: Path, language: str
) -> None:
    refused = run(language, snippet(f"create.{language}"), tmp_path)
    assert refused == {"status": "error", "error": f"Ref '{THEIR_COMMIT}' of layerdemo/repo_name: no such commit"}
