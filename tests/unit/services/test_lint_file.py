"""`skerry lint` on files on disk."""

import json
from pathlib import Path

from click.testing import CliRunner

from app.cli import cli
from app.services.pipelines import lint
from app.services.pipelines.lint import lint_file

RULES = """
with: {script: [x], rules: [{exists: [docs/**/*.md]}]}
without: {script: [x], rules: [{exists: [nowhere/*]}]}
"""


def test_files_beside_it_are_included_and_found_by_rules(tmp_path: Path) -> None:
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "docs" / "deep" / "a.md").write_text("x")
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "more.yml").write_text(RULES)
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text("include: 'ci/*.yml'\nplain: {script: [x]}\n")
    result = lint_file(file)
    assert (result.valid, result.jobs, result.diagnostics) == (True, 2, ())


def test_what_is_not_beside_it_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(lint, "READ_LIMIT", 200)
    (tmp_path / "large.yml").write_text("# " + "x" * 300)
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(
        "include:\n  - {project: a/b, file: c.yml}\n  - https://example.com/d.yml\n  - ../outside.yml\n  - large.yml\n"
    )
    assert [found.message for found in lint_file(file).diagnostics] == [
        "Project `a/b` cannot be looked up: there is no server to ask here",
        "Remote file cannot be fetched: there is no server to do it here",
        "Local file `../outside.yml` does not exist!",
        "Local file `large.yml` is larger than 199 bytes",
    ]
    file.write_text("include: {template: Bash.gitlab-ci.yml}")
    assert lint_file(file).valid


def test_the_folder_is_listed_only_when_something_asks_for_it(tmp_path: Path, monkeypatch) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(lint, "_list_files", lambda folder: calls.append(folder) or {})
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text("plain: {script: [x]}\n")
    assert lint_file(file).valid
    assert calls == []
    file.write_text(RULES)
    lint_file(file)
    assert calls == [tmp_path]


def test_a_report_for_machines(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("build: {script: [make], rules: [{when: always}]}\n")
    bad.write_text("build:\n  script: [make]\n  scrpt: [make]\n")
    done = CliRunner().invoke(cli, ["lint", "--format", "json", str(good), str(bad)])
    first, second = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (first["valid"], first["jobs"], [found["severity"] for found in first["diagnostics"]]) == (
        True,
        1,
        ["warning"],
    )
    problem = second["diagnostics"][0]
    assert (second["valid"], problem["file"], problem["line"]) == (False, str(bad), 3)
