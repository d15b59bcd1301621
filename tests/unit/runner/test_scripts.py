"""Generated scripts, run by the shells that are here."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.protocol.wire import Step
from runner.scripts import Script, echo_of, launcher, quote, stage_script

SHELLS = [shell for shell in (["bash"], ["dash"], ["busybox", "sh"]) if shutil.which(shell[0])]


def run(shell, tmp_path, *lines, environment=None, extra=None, **options):
    step = Step("script", lines, **options)
    script = Script({"GITLAB_ENV": str(tmp_path / "env"), **(environment or {})}, str(tmp_path), (step,))
    path = tmp_path / "script.sh"
    path.write_bytes(stage_script(script))
    done = subprocess.run(
        [*shell, str(path)],
        env={"PATH": "/usr/bin:/bin", **(extra or {})},
        capture_output=True,
        check=False,
        timeout=20,
    )
    printed = [
        line for line in done.stdout.decode("utf-8", "replace").splitlines() if not line.startswith("\x1b[32;1m$")
    ]
    return done.returncode, printed, done.stderr.decode()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
class TestEveryShell:
    def test_lines_share_a_shell(self, shell, tmp_path):
        assert run(shell, tmp_path, "X=1", "cd /", "f() { echo $X $PWD; }", "f")[:2] == (0, ["1 /"])

    def test_a_failing_line_stops_the_script(self, shell, tmp_path):
        assert run(shell, tmp_path, "echo a", "false", "echo b")[:2] == (1, ["a"])

    def test_without_errexit_only_the_last_line_counts(self, shell, tmp_path):
        assert run(shell, tmp_path, "false", "echo b", errexit=False)[:2] == (0, ["b"])
        assert run(shell, tmp_path, "true", "(exit 4)", errexit=False)[0] == 4

    def test_a_condition_that_is_not_met_at_the_end_is_no_failure(self, shell, tmp_path):
        assert run(shell, tmp_path, "false && echo no")[0] == 0

    def test_input_is_empty(self, shell, tmp_path):
        assert run(shell, tmp_path, "cat", "echo end")[:2] == (0, ["end"])

    def test_a_block_may_span_lines_of_the_list(self, shell, tmp_path):
        assert run(shell, tmp_path, "if true; then", "echo in", "fi")[:2] == (0, ["in"])

    def test_a_syntax_error_fails_the_step(self, shell, tmp_path):
        assert run(shell, tmp_path, "echo a", "if ; then")[0] != 0

    def test_variables_from_earlier_stages_are_there(self, shell, tmp_path):
        (tmp_path / "env").write_bytes(b"A=x y\nB=$(touch pwned)\nno-name=1\n9=1\njunk\nC=last, no newline")
        code, printed, errors = run(shell, tmp_path, 'echo "$A|$B|$C"')
        assert (code, printed, errors) == (0, ["x y|$(touch pwned)|last, no newline"], "")
        assert not (tmp_path / "pwned").exists()

    def test_overwriting_a_file_is_allowed(self, shell, tmp_path):
        assert run(shell, tmp_path, "echo a >f", "echo b >f", "cat f")[:2] == (0, ["b"])

    def test_names_that_shells_keep_for_themselves_do_no_harm(self, shell, tmp_path):
        environment = {"UID": "x", "EUID": "x", "PPID": "x", "SHELLOPTS": "x", "not-a-name": "x", "OK": "fine"}
        assert run(shell, tmp_path, "echo $OK", environment=environment)[:2] == (0, ["fine"])

    @settings(max_examples=25, deadline=None)
    @given(value=st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=60))
    def test_any_value_arrives_unchanged(self, shell, tmp_path_factory, value):
        path = tmp_path_factory.mktemp("value")
        run(shell, path, f'printf %s "$VALUE" >{path}/out', environment={"VALUE": value})
        assert (path / "out").read_bytes() == value.encode()


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash on this host")
def test_pipefail_is_on_where_the_shell_has_it_and_off_on_demand(tmp_path):
    assert run(["bash"], tmp_path, "false | true", "echo on")[:2] == (1, [])
    assert run(["bash"], tmp_path, "false | true", "echo off", pipefail=False)[:2] == (0, ["off"])


def test_the_launcher_prefers_bash_and_manages_without(tmp_path):
    path = tmp_path / "it's.sh"
    path.write_text('echo "[${BASH_VERSION:+bash}]"\n')
    for shell in SHELLS:
        done = subprocess.run([*shell, "-c", launcher(str(path))], capture_output=True, text=True, check=True)
        assert done.stdout == "[bash]\n"
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "sh").symlink_to(shutil.which("dash") or "/bin/sh")
    dash = shutil.which("dash") or "/bin/sh"
    done = subprocess.run(
        [dash, "-c", launcher(str(path))], env={"PATH": str(binaries)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_missing_project_directory_fails_the_stage(tmp_path):
    script = Script({}, str(tmp_path / "gone"), (Step("script", ("echo never",)),))
    done = subprocess.run(["sh"], input=stage_script(script), capture_output=True, check=False)
    assert done.returncode == 1
    assert b"never" not in done.stdout


def test_only_the_first_of_several_lines_is_shown():
    assert echo_of("make all") == "\x1b[32;1m$ make all\x1b[0;m"
    assert echo_of("a\nb\n") == "\x1b[32;1m$ a # collapsed multi-line command\x1b[0;m"
    assert echo_of("a\n") == "\x1b[32;1m$ a\x1b[0;m"


def test_a_quote_in_a_word_stays_in_it():
    assert quote("it's") == "'it'\\''s'"
