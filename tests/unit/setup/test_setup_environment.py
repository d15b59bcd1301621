"""Where the virtual environment lies and when it is made anew."""

import os
from pathlib import Path

import pytest
from skerry_setup import environment
from skerry_setup.environment import Environment, ensure_environment
from skerry_setup.ui import SetupError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    top = tmp_path / "checkout"
    (top / "app").mkdir(parents=True)
    (top / "app" / "code.py").write_text("new = 1\n")
    (top / "contrib" / "setup").mkdir(parents=True)
    script = top / "contrib" / "setup" / "askpass.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    for name in (*environment.RUN_LOCKS, *environment.DEVELOPMENT_LOCKS, "pyproject.toml"):
        (top / name).write_text(f"{name}\n")
    return top


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Replaces pip: writes down which locks were installed, and leaves the programs that pip would."""
    done: list[tuple[str, ...]] = []

    def install(made: Environment, checkout: Path, locks: tuple[str, ...]) -> None:
        done.append(tuple(locks))
        made.program("skerry").parent.mkdir(parents=True, exist_ok=True)
        made.program("skerry").touch()

    monkeypatch.setattr(environment, "_install", install)
    monkeypatch.setattr(environment, "_make_venv", lambda venv: None)
    return done


def test_the_environment_is_installed_once(checkout: Path, installs: list[tuple[str, ...]]) -> None:
    first = ensure_environment(checkout, as_root=False)
    assert ensure_environment(checkout, as_root=False) == first
    assert first.venv == checkout / ".venv"
    assert installs == [environment.RUN_LOCKS]


def test_changed_pins_are_installed(checkout: Path, installs: list[tuple[str, ...]]) -> None:
    ensure_environment(checkout, as_root=False)
    (checkout / "requirements.lock").write_text("other\n")
    ensure_environment(checkout, as_root=False)
    assert len(installs) == 2


def test_the_tests_packages_contain_what_running_needs(checkout: Path, installs: list[tuple[str, ...]]) -> None:
    ensure_environment(checkout, as_root=False, development=True)
    ensure_environment(checkout, as_root=False)
    assert installs == [environment.RUN_LOCKS + environment.DEVELOPMENT_LOCKS]


@pytest.fixture
def out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "opt"
    monkeypatch.setattr(environment, "is_readable_tree", lambda top, names: False)
    monkeypatch.setattr(environment, "code_dir", lambda checkout: place)
    return place


def test_root_keeps_a_copy_for_the_service_users_when_they_cannot_read_the_checkout(
    checkout: Path, installs: list[tuple[str, ...]], out_of_reach: Path
) -> None:
    made = ensure_environment(checkout, as_root=True)
    assert made.source == out_of_reach / "source"
    assert (checkout / ".venv").resolve() == out_of_reach / "venv"
    assert (made.source / "app" / "code.py").stat().st_mode & 0o777 == 0o644
    assert (made.source / "contrib" / "setup" / "askpass.sh").stat().st_mode & 0o777 == 0o755


def test_the_copy_follows_the_checkout(checkout: Path, installs: list[tuple[str, ...]], out_of_reach: Path) -> None:
    ensure_environment(checkout, as_root=True)
    (checkout / "app" / "code.py").rename(checkout / "app" / "renamed.py")
    made = ensure_environment(checkout, as_root=True)
    assert [path.name for path in (made.source / "app").glob("*.py")] == ["renamed.py"]
    assert len(installs) == 1


def test_the_copy_is_compiled_once_and_again_where_it_changed(
    checkout: Path, installs: list[tuple[str, ...]], out_of_reach: Path
) -> None:
    def compiled() -> dict[str, int]:
        made = ensure_environment(checkout, as_root=True)
        files = (made.source / "app" / "__pycache__").iterdir()
        assert all(file.stat().st_mode & 0o777 == 0o644 for file in (made.source / "app" / "__pycache__").iterdir())
        return {file.name.split(".")[0]: file.stat().st_mtime_ns for file in files}

    (checkout / "app" / "same.py").write_text("same = 1\n")
    first = compiled()
    (checkout / "app" / "code.py").write_text("newer = 2\n")
    os.utime(checkout / "app" / "code.py", (2e9, 2e9))
    second = compiled()
    assert first.keys() == second.keys() == {"code", "same"}
    assert first["same"] == second["same"]
    assert first["code"] != second["code"]


def test_a_folder_of_somebody_else_is_not_replaced_by_a_link(
    checkout: Path, installs: list[tuple[str, ...]], out_of_reach: Path
) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "mine").touch()
    with pytest.raises(SetupError, match="in the way"):
        ensure_environment(checkout, as_root=True)
    assert (checkout / ".venv" / "mine").exists()
