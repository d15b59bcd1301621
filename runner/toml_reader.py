"""Typed reading of TOML tables: each method takes one key, and refuses what it cannot mean, naming file and key."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from runner.durations import parse_duration


class ConfigError(Exception):
    """The configuration file cannot be used. `str()` is a sentence that names the file and the key."""


class TableReader:
    """One table of a file. `finish()` warns of the keys that nobody asked for."""

    def __init__(self, table: Mapping[str, Any], file: str, prefix: str, warnings: list[str]) -> None:
        self._table = table
        self._file = file
        self._prefix = prefix
        self._warnings = warnings
        self._asked: set[str] = set()

    def error(self, key: str, problem: str) -> ConfigError:
        return ConfigError(f"{self._file}: {self._prefix}{key}: {problem}")

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        return self._table.get(key)

    def text(self, key: str, default: str = "", required: bool = False) -> str:
        value = self._get(key)
        if value is None and not required:
            return default
        if not isinstance(value, str) or (required and not value):
            raise self.error(key, "is missing" if value is None else f"must be text, not {value!r}")
        if "\0" in value:
            raise self.error(key, "holds a NUL character")
        return value

    def integer(self, key: str, default: int, least: int = 0) -> int:
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.error(key, f"must be a whole number of at least {least}, not {value!r}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.error(key, f"must be true or false, not {value!r}")
        return value

    def number(self, key: str, default: float) -> float:
        """A number, or gitlab-runner's spelling of one as text ("2", "0.5")."""
        value = self._get(key)
        if value is None:
            return default
        if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
            value = float(value)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
            raise self.error(key, f"must be a number, not {value!r}")
        return float(value)

    def seconds(self, key: str, default: float, zero_means_default: bool = False) -> float:
        """A duration: a number of seconds or text such as "1h30m"."""
        value = self._get(key)
        if value is None or (zero_means_default and value == 0 and value is not False):
            return default
        seconds = parse_duration(value) if isinstance(value, str) else value
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < 1e9:
            raise self.error(key, f'must be a number of seconds or text such as "1h30m", not {value!r}')
        return float(seconds)

    def choice(self, key: str, allowed: Collection[str], default: str) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.error(key, f"must be one of {_listed(allowed)}, not {value!r}")
        return value

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """One of `allowed`, or a list of them."""
        value = self._table.get(key)
        found = (self.text(key),) if isinstance(value, str) else self.strings(key)
        for one in found:
            if one not in allowed:
                raise self.error(key, f"must be one or more of {_listed(allowed)}, not {one!r}")
        return found

    def strings(self, key: str) -> tuple[str, ...]:
        value = self._get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
            raise self.error(key, f"must be a list of texts, not {value!r}")
        return tuple(value)

    def assignments(self, key: str) -> tuple[tuple[str, str], ...]:
        """A list of "KEY=value"."""
        pairs = []
        for one in self.strings(key):
            name, equals, value = one.partition("=")
            if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII):
                raise self.error(key, f'{name!r} must be written "KEY=value"')
            pairs.append((name, value))
        return tuple(pairs)

    def size(self, key: str, default: str = "") -> str:
        value = self.text(key, default)
        if value and not re.fullmatch(r"\d+[bkmgBKMG]?", value, re.ASCII):
            raise self.error(key, f'must be a size such as "512m", not {value!r}')
        return value

    def absolute(self, key: str, default: str) -> str:
        value = self.text(key, default)
        if value and not value.startswith("/"):
            raise self.error(key, f"must be an absolute path, not {value!r}")
        return value.rstrip("/") or value

    def url(self, key: str, default: str | None = None) -> str:
        """An http(s) address. Without a default it is required."""
        value = self.text(key, default or "", required=default is None)
        if not value:
            return value
        try:
            return clean_url(value)
        except ValueError as error:
            raise self.error(key, str(error)) from None

    def table(self, key: str) -> "TableReader | None":
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.error(key, "must be a table")
        return TableReader(value, self._file, f"{self._prefix}{key}.", self._warnings)

    def tables(self, key: str) -> Iterator["TableReader"]:
        value = self._get(key)
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise self.error(key, f"must be written [[{key}]]")
        for index, one in enumerate(value):
            yield TableReader(one, self._file, f"{key}[{index}].", self._warnings)

    def finish(self, silent: Collection[str] = ()) -> None:
        """Warn of keys that were not asked for; `silent` ones are known and mean nothing here."""
        for key in self._table:
            if key not in self._asked and key not in silent:
                self._warnings.append(f"{self._file}: {self._prefix}{key}: is not a setting of this runner, ignored")


def clean_url(value: str) -> str:
    """The base address of a server: a trailing `/` or `/ci` removed (gitlab.md A.0). Raises ValueError with a
    sentence.
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with http:// or https://")
    if parts.username is not None or parts.query or parts.fragment or any(c.isspace() for c in value):
        raise ValueError("must have no user name, query or spaces in it")
    return value.rstrip("/").removesuffix("/ci").rstrip("/")


def _listed(allowed: Collection[str]) -> str:
    return ", ".join(f'"{one}"' for one in allowed)
