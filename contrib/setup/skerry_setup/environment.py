"""The virtual environment: `.venv` in the checkout, or a link there to one that the service users can reach.

What is installed is written down as a stamp (a hash of the locks, the project file and the Python), so that the next
run has nothing to do. Dependencies come from the hash-pinned locks, the project itself is installed editable, so that a
`git pull` is enough.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .reach import is_readable_tree
from .settings import code_dir
from .ui import SetupError, last_line, note, step

PROJECT = ("app", "runner", "templates", "static", "wsgi.py", "pyproject.toml", "README.md", "LICENSE", "contrib")
RUN_LOCKS = ("requirements-build.lock", "requirements.lock")
# Clients that only tests run. They come without what they depend on: some pin libraries that are years old.
CLIENTS_LOCK = "requirements-clients.lock"
DEVELOPMENT_LOCKS = ("requirements-dev.lock", CLIENTS_LOCK)
# Not sys.executable: the caller may have an environment switched on, perhaps the very one that is made here.
BASE_PYTHON: str = getattr(sys, "_base_executable", sys.executable)


@dataclass(frozen=True)
class Environment:
    """`venv` is the real folder, `source` the tree that the project is installed from (the checkout or root's copy)."""

    venv: Path
    source: Path

    def program(self, name: str) -> Path:
        return self.venv / "bin" / name


def ensure_environment(checkout: Path, as_root: bool, *, development: bool = False) -> Environment:
    """The environment with everything installed; quick when nothing changed. Raises SetupError."""
    environment = _locate(checkout, as_root)
    if environment.source != checkout:
        _copy_source(checkout, environment.source)
    if as_root:
        _compile(environment.source)
    locks = RUN_LOCKS + (DEVELOPMENT_LOCKS if development else ())
    stamp_file = environment.venv / f"skerry-{'development' if development else 'run'}.stamp"
    stamp = _stamp(checkout, locks)
    if _read(stamp_file) != stamp or not environment.program("skerry").exists():
        step("Installing Skerry's Python packages" + (" and those of its tests" if development else ""))
        _make_venv(environment.venv)
        _install(environment, checkout, locks)
        stamp_file.write_text(stamp, encoding="ascii")
        (environment.venv / "skerry-run.stamp").write_text(_stamp(checkout, RUN_LOCKS), encoding="ascii")
    _link(checkout / ".venv", environment.venv)
    return environment


def _locate(checkout: Path, as_root: bool) -> Environment:
    if not as_root or is_readable_tree(checkout, PROJECT):
        return Environment(checkout / ".venv", checkout)
    place = code_dir(checkout)
    note(f"The service users cannot read {checkout}; Skerry's environment and code are kept in {place}.")
    return Environment(place / "venv", place / "source")


def _copy_source(checkout: Path, target: Path) -> None:
    """Lays the project's files at `target`, anew each time: they are few, and an edit in the checkout must count.
    What was compiled there stays; Python sees by a file's time and size whether it still fits.
    """
    fresh = target.with_name("source.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in PROJECT:
        origin = checkout / name
        if origin.is_dir():
            shutil.copytree(origin, fresh / name, ignore=skip, symlinks=True)
        elif origin.exists():
            shutil.copy2(origin, fresh / name)
    for compiled in target.rglob("__pycache__"):
        place = fresh / compiled.relative_to(target)
        if place.parent.is_dir():
            compiled.rename(place)
    _open_for_reading(fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _compile(source: Path) -> None:
    """Compiles our modules beside them, where the service users could not: else each start would do it again."""
    places = [str(source / name) for name in ("app", "runner") if (source / name).is_dir()]
    _run([BASE_PYTHON, "-I", "-m", "compileall", "-q", "-j", "0", *places], "Skerry's own modules cannot be compiled")


def _open_for_reading(top: Path) -> None:
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _stamp(checkout: Path, locks: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{sys.version}\n{os.path.realpath(BASE_PYTHON)}\n".encode())
    for name in (*locks, "pyproject.toml"):
        digest.update(name.encode() + b"\0" + (checkout / name).read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _make_venv(venv: Path) -> None:
    if venv.is_symlink():
        venv.unlink()  # made for a checkout that was out of reach then
    python = venv / "bin" / "python"
    if python.exists() and _same_python(python):
        return
    if venv.exists() and not (venv / "pyvenv.cfg").exists():
        raise SetupError(f"{venv} exists and is not a virtual environment.", "Move it away, then run this again.")
    venv.parent.mkdir(parents=True, exist_ok=True)
    _run([BASE_PYTHON, "-I", "-m", "venv", "--clear", str(venv)], "the virtual environment cannot be made")


def _same_python(python: Path) -> bool:
    """True if an environment is made of our Python and works; after an upgrade of the system it may not."""
    asked = subprocess.run(
        [python, "-I", "-c", "import pip, sys; print(sys.version_info[:3])"],
        capture_output=True,
        text=True,
        check=False,
    )
    same = os.path.realpath(python) == os.path.realpath(BASE_PYTHON)
    return same and asked.returncode == 0 and asked.stdout.strip() == str(tuple(sys.version_info[:3]))


def _install(environment: Environment, checkout: Path, locks: Sequence[str]) -> None:
    pip = [
        str(environment.program("python")),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    for lock in locks:
        options = ["--require-hashes", *(["--no-deps"] if lock == CLIENTS_LOCK else [])]
        _run([*pip, *options, "-r", str(checkout / lock)], f"the packages of {lock} cannot be installed")
    _run(
        [*pip, "--no-deps", "--no-build-isolation", "-e", str(environment.source)], "Skerry itself cannot be installed"
    )


def _run(command: list[str], failure: str) -> None:
    settings = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    settings.pop("PYTHONPATH", None)
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env=settings,
        check=False,
        cwd="/",
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        raise SetupError(
            f"{failure}: {said[0] if said else last_line(done.stderr + done.stdout)}", "Is the network there?"
        )


def _link(link: Path, venv: Path) -> None:
    """Makes `.venv` in the checkout lead to the environment, wherever that is."""
    if link == venv or (link.is_symlink() and link.resolve() == venv.resolve()):
        return
    if link.is_dir() and not link.is_symlink():
        if not (link / "skerry-run.stamp").exists():
            raise SetupError(f"{link} is in the way of a link to {venv}.", "Move it away, then run this again.")
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.symlink_to(venv, target_is_directory=True)
