"""The commands: quick to start, and clear when they cannot do what they are asked for."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from runner.cli import main


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.setenv("SKERRY_RUNNER_CONFIG", str(tmp_path / "config.toml"))
    return lambda *words, **options: CliRunner().invoke(main, list(words), **options)


def test_help_lists_every_command_and_says_how_to_begin(invoke):
    text = invoke("--help").output
    for command in ("register", "unregister", "run", "verify", "list", "doctor"):
        assert command in text
        assert "--help" in invoke(command, "--help").output


def test_starting_loads_nothing_that_is_slow():
    program = (
        "import sys, runner.cli; print([m for m in ('requests', 'podman', 'structlog', 'tomlkit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_configuration_is_named(invoke, tmp_path):
    result = invoke("run")
    assert result.exit_code == 1
    assert f"{tmp_path}/config.toml: there is no such file" in result.output


def test_a_configuration_without_runners_is_not_run(invoke, tmp_path):
    (tmp_path / "config.toml").write_text("concurrent = 1\n")
    result = invoke("run")
    assert result.exit_code == 1
    assert "register" in result.output


def test_a_file_that_others_can_read_is_warned_of(invoke, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("concurrent = 1\n")
    path.chmod(0o644)
    assert "readable for others" in invoke("list").output
    path.chmod(0o600)
    assert "readable" not in invoke("list").output


def test_an_address_that_is_none_is_refused(invoke):
    result = invoke("register", "--url", "ci.example.org", "--token", "glrt-x")
    assert result.exit_code == 2
    assert "http://" in result.output


def test_unregister_wants_to_know_which(invoke, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[[runners]]\nurl = "http://127.0.0.1:9"\ntoken = "glrt-abc"\n')
    path.chmod(0o600)
    assert invoke("unregister").exit_code == 1
    kept = invoke("unregister", "--all-runners")
    assert kept.exit_code == 1
    assert "cannot be reached" in kept.output
    assert invoke("unregister", "--all-runners", "--keep-at-server").exit_code == 0
    assert "runners" not in path.read_text()
