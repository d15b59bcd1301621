"""docs/reference/runner.md says what config.py reads: every key, its default, and no other."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from runner.config import CacheTable, Config, PodmanTable, RunnerConfig, S3Table, parse
from runner.job import phases

PAGE = (Path(__file__).parents[3] / "docs/reference/runner.md").read_text()
#: Keys that are not called as their fields are: gitlab-runner's own spelling.
SPELLED = {"tls_ca_file": "tls-ca-file"}
CACHE_SPELLED = {"type": "Type", "path": "Path", "shared": "Shared"}
S3_SPELLED = {
    "server_address": "ServerAddress", "access_key": "AccessKey", "secret_key": "SecretKey",
    "bucket_name": "BucketName", "bucket_location": "BucketLocation", "insecure": "Insecure", "path_style": "PathStyle",
}  # fmt: skip
#: Defaults that the page says in words.
IN_WORDS = {
    "data_dir", "url", "token", "cache_dir", "image", "allowed_pull_policies", "allowed_images", "allowed_services",
    "network_mode", "cache_max_age", "name", "BucketName", "PathStyle", "BucketLocation",
}  # fmt: skip


def documented(heading: str) -> dict[str, str]:
    """The keys of the table below a heading, with their defaults as written."""
    section = PAGE.split(f"### {heading}\n")[1].split("\n## ")[0].split("\n### ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.*?) \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "table", "apart", "spelled"),
    [
        ("At the top", Config, {"path", "runners"}, SPELLED),
        ("[[runners]]", RunnerConfig, {"podman", "cache"}, SPELLED),
        ("[runners.podman]", PodmanTable, set(), SPELLED),
        ("[runners.cache]", CacheTable, {"s3"}, CACHE_SPELLED),
        ("[runners.cache.s3]", S3Table, set(), S3_SPELLED),
    ],
)
def test_every_key_and_its_default_is_on_the_page(
    heading: str, table: Any, apart: set[str], spelled: dict[str, str]
) -> None:
    fields = {spelled.get(one.name, one.name): one for one in dataclasses.fields(table) if one.name not in apart}
    page = documented(heading)
    assert set(page) == set(fields)
    for name in set(fields) - IN_WORDS:
        assert page[name] == written(fields[name].default), name


def written(default: Any) -> str:
    if isinstance(default, tuple):
        return "`" + str(list(default)).replace("'", '"') + "`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`" if default != "" else "–"


def test_every_key_of_the_page_is_read(tmp_path: Path) -> None:
    runner = dict.fromkeys(documented("[[runners]]"), None) | {"url": "http://x", "token": "glrt-x"}
    runner["podman"] = dict.fromkeys(documented("[runners.podman]"), None)
    runner["cache"] = dict.fromkeys(documented("[runners.cache]"), None)
    runner["cache"]["s3"] = dict.fromkeys(documented("[runners.cache.s3]"), None)
    document = dict.fromkeys(documented("At the top"), None) | {"runners": [runner]}
    assert parse(document, tmp_path / "config.toml")[1] == []


def test_every_section_of_a_job_is_on_the_page() -> None:
    for phase in phases.PHASES:
        assert not phase.section or f"`{phase.section}`" in PAGE
