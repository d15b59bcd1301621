"""The scenarios beside this file, and the context that each is compiled in; see test_scenarios."""

from pathlib import Path
from typing import Any

from app.dialects.base import CompileContext
from tests.support.sources import FakeSources, blob

CONFIGURATION = ".gitlab-ci.yml"
FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.json"))
SOURCES = "sources"


def context_of(folder: Path, given: dict[str, Any]) -> CompileContext:
    fields = dict(given)
    if fields.get("changed_files") is not None:
        fields["changed_files"] = frozenset(fields["changed_files"])
    since = fields.pop("changes_since", None)
    if since is not None:
        fields["changes_since"] = lambda ref: frozenset(since[ref]) if ref in since else unknown_ref(ref)
    if "last_commit" in fields:
        fields["last_commit"] = fields["last_commit"].get
    for key in ("masked", "raw"):
        fields[key] = frozenset(fields.get(key, ()))
    files = {
        name: text for name, text in texts(folder).items() if name != "expected.json" and not name.startswith(SOURCES)
    }
    return CompileContext(
        read_file=files.get,
        list_files=lambda: {name: blob(text) for name, text in files.items()},
        sources=sources_of(folder / SOURCES),
        **fields,
    )


def texts(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def sources_of(folder: Path) -> FakeSources:
    projects: dict[str, dict[str, dict[str, str]]] = {}
    for name, text in texts(folder / "projects").items():
        group, project, ref, path = name.split("/", 3)
        projects.setdefault(f"{group}/{project}", {}).setdefault(ref, {})[path] = text
    return FakeSources(projects, {f"https://{name}": text for name, text in texts(folder / "remote").items()})


def unknown_ref(ref: str) -> frozenset[str]:
    raise ValueError(f"no ref {ref}")
