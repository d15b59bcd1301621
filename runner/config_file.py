"""Changes to `config.toml` that keep its comments and order; the file is never readable for others."""

import os
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from runner.toml_reader import ConfigError


def add_runner(path: Path, values: Mapping[str, object], podman: Mapping[str, object]) -> None:
    """Append a `[[runners]]` table with a `[runners.podman]` in it, making the file where there is none.

    A table with the same url and token is replaced, so that registering twice changes nothing.
    """
    document = _read(path)
    document.setdefault("concurrent", 1)
    document.setdefault("check_interval", 3)
    table = tomlkit.table()
    for key, value in values.items():
        table.add(key, value)
    if podman:
        inner = tomlkit.table()
        for key, value in podman.items():
            inner.add(key, value)
        table.add("podman", inner)
    runners = document.get("runners")
    if not isinstance(runners, AoT):
        runners = tomlkit.aot()
        document["runners"] = runners
    _drop(runners, str(values["url"]), str(values["token"]))
    runners.append(table)
    _write(path, tomlkit.dumps(document))


def remove_runner(path: Path, url: str, token: str) -> None:
    """Remove the `[[runners]]` tables with this url and token."""
    document = _read(path)
    runners = document.get("runners")
    if isinstance(runners, AoT):
        _drop(runners, url, token)
        if not runners:
            del document["runners"]
    _write(path, tomlkit.dumps(document))


def _drop(runners: AoT, url: str, token: str) -> None:
    for index in reversed(range(len(runners))):
        if str(runners[index].get("url", "")).rstrip("/") == url and runners[index].get("token") == token:
            del runners[index]


def _read(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error


def _write(path: Path, text: str) -> None:
    """Replace the file in one step: a crash leaves the old one or the new one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
