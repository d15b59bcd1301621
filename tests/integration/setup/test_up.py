"""`make up` and `make down` around stand-ins of the two programs: real processes, real git over HTTP, real signals."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.installation

HERE = Path(__file__).resolve().parent


class Machine:
    """A data folder, an address, and the two programs."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.venv = folder / "venv"
        self.output = folder / "output"
        (self.venv / "bin").mkdir(parents=True)
        for name in ("skerry", "skerry-runner"):
            self.program(name)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.settings = {"SKERRY_DATA_DIR": str(self.data), "SKERRY_BIND": f"127.0.0.1:{self.port}"}

    def program(self, name: str, first: str = ":") -> None:
        """Makes the stand-in of `name`, which does the shell line `first` before anything else."""
        path = self.venv / "bin" / name
        path.write_text(f'#!/bin/sh\n{first}\nexec {sys.executable} {HERE / "fake_skerry.py"} {name} "$@"\n')
        path.chmod(0o755)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-I", str(HERE / "drive.py"), str(self.venv), *words]

    def environment(self) -> dict[str, str]:
        return os.environ | self.settings

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*words), env=self.environment(), capture_output=True, text=True, check=False, timeout=60
        )

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """In the background, its output in a file; returns at once."""
        with self.output.open("wb") as file:
            return subprocess.Popen(
                self.command(*words), env=self.environment(), stdout=file, stderr=file, start_new_session=True
            )

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            said = self.output.read_text()
            if text in said:
                return said
            time.sleep(0.02)
        raise AssertionError(f"{text!r} did not appear in:\n{self.output.read_text()}")

    def pid(self, name: str) -> int:
        return int(json.loads((self.data / "run" / f"{name}.pid").read_text())["pid"])

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.run("down")
    assert not made.listens()


def test_up_pushes_the_sample_and_shows_its_jobs(machine: Machine) -> None:
    done = machine.run("up", "--detach")
    assert (done.returncode, done.stderr) == (0, "")
    assert "password the-password" in done.stdout
    assert f"Pushing the sample project to http://127.0.0.1:{machine.port}/skerry/hello.git" in done.stdout
    shown = [line.split() for line in done.stdout.splitlines()]
    order = [shown.index([name, "success", "1.2", "s"]) for name in ("build", "test", "deploy")]
    assert order == sorted(order)
    assert "pipeline success in 0.8 s" in done.stdout


def test_detached_both_keep_running_until_down(machine: Machine) -> None:
    machine.run("up", "--detach")
    assert machine.listens()
    os.kill(machine.pid("runner"), 0)
    down = machine.run("down")
    assert down.returncode == 0
    assert down.stdout.splitlines() == ["==> Stopping the runner", "==> Stopping the server", "Stopped."]
    assert not machine.listens()
    assert "runner stopped" in (machine.data / "runner" / "runner.log").read_text()


def test_down_with_nothing_running_is_no_error(machine: Machine) -> None:
    done = machine.run("down")
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing is running")


def test_detached_fails_when_the_sample_fails_and_leaves_both_running(machine: Machine) -> None:
    machine.settings["SKERRY_FAKE_RESULT"] = "failed"
    done = machine.run("up", "--detach")
    assert done.returncode == 1
    assert "deploy failed (script_failure)" in done.stdout
    assert [line.strip() for line in done.stdout.splitlines() if "|" in line] == ["| line of the log"]
    assert machine.listens()


def test_the_second_up_continues_with_the_same_data(machine: Machine) -> None:
    machine.run("up", "--detach")
    machine.run("down")
    registered = (machine.data / "runner" / "config.toml").read_text()
    done = machine.run("up", "--detach")
    assert done.returncode == 0
    assert "password" not in done.stdout
    assert "Pushing" not in done.stdout
    assert "Pipeline 2 of skerry/hello" in done.stdout
    assert (machine.data / "runner" / "config.toml").read_text() == registered


def test_a_new_database_gets_the_runner_registered_anew(machine: Machine) -> None:
    machine.run("up", "--detach")
    machine.run("down")
    before = (machine.data / "runner" / "config.toml").read_text().replace("concurrent = ", "concurrent = 1")
    (machine.data / "runner" / "config.toml").write_text(before)
    machine.program("skerry-runner", '[ "$1" = verify ] && exit 1')
    (machine.data / "state.json").unlink()
    shutil.rmtree(machine.data / "skerry")
    done = machine.run("up", "--detach")
    assert done.returncode == 0, done.stderr
    after = (machine.data / "runner" / "config.toml").read_text()
    assert after.count("[[runners]]") == 1
    assert after.partition("[[runners]]")[0] == before.partition("[[runners]]")[0]
    assert after != before


def test_up_while_it_runs_says_so(machine: Machine) -> None:
    machine.run("up", "--detach")
    before = machine.pid("server")
    done = machine.run("up")
    assert done.returncode == 0
    assert "already running" in done.stdout
    again = machine.run("up", "--detach")
    assert again.returncode == 0
    assert "Pipeline 2" in again.stdout
    assert machine.pid("server") == before


def test_a_running_server_is_found_at_its_own_address(machine: Machine) -> None:
    machine.run("up", "--detach")
    address = machine.settings.pop("SKERRY_BIND")
    done = machine.run("up", "--detach")
    assert done.returncode == 0, done.stderr
    assert f"already running at http://{address}" in done.stdout


def test_a_sample_that_cannot_be_run_is_no_reason_to_stop_serving(machine: Machine) -> None:
    machine.program("skerry", '[ "$1" = project ] && echo "skerry: no projects today" >&2 && exit 1')
    done = machine.run("up", "--detach")
    assert done.returncode == 1
    assert "The sample pipeline cannot be run: `skerry project create` failed: no projects today" in done.stdout
    assert machine.listens()


def test_output_that_nobody_reads_is_no_reason_to_leave_programs_behind(machine: Machine) -> None:
    up = subprocess.Popen(
        machine.command("up"), env=machine.environment(), stdout=subprocess.PIPE, start_new_session=True
    )
    assert up.stdout is not None
    while b"Ctrl-C" not in up.stdout.readline():
        pass
    up.stdout.close()
    up.send_signal(signal.SIGTERM)
    assert up.wait(30) == 0
    assert not machine.listens()


def test_what_is_left_of_a_half_dead_run_is_replaced(machine: Machine) -> None:
    machine.run("up", "--detach")
    os.kill(machine.pid("runner"), signal.SIGKILL)
    before = machine.pid("server")
    done = machine.run("up", "--detach")
    assert done.returncode == 0, done.stderr
    assert machine.pid("server") != before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_foreground_stops_both_cleanly(machine: Machine, number: signal.Signals) -> None:
    up = machine.start("up")
    machine.wait_for("Ctrl-C stops both.")
    assert machine.listens()
    up.send_signal(number)
    assert up.wait(30) == 0
    assert not machine.listens()
    assert "runner stopped" in (machine.data / "runner" / "runner.log").read_text()
    assert list((machine.data / "run").glob("*.pid")) == []


def test_down_ends_an_up_in_the_foreground(machine: Machine) -> None:
    up = machine.start("up")
    machine.wait_for("Ctrl-C stops both.")
    assert machine.run("down").returncode == 0
    assert up.wait(30) == 0
    assert "died" not in machine.output.read_text()


@pytest.mark.parametrize(("victim", "other"), [("server", "runner"), ("runner", "server")])
def test_when_one_dies_its_last_words_are_shown_and_the_other_is_stopped(
    machine: Machine, victim: str, other: str
) -> None:
    up = machine.start("up")
    machine.wait_for("Ctrl-C stops both.")
    other_pid = machine.pid(other)
    os.kill(machine.pid(victim), signal.SIGKILL)
    assert up.wait(30) == 1
    said = machine.output.read_text()
    assert f"the {victim} died" in said
    assert f"| {victim} " in said
    with pytest.raises(ProcessLookupError):
        os.kill(other_pid, 0)


def test_a_server_that_cannot_start_shows_why(machine: Machine) -> None:
    machine.program("skerry", '[ "$1" = serve ] && echo "the disk is full" && exit 3')
    done = machine.run("up")
    assert done.returncode == 1
    assert "| the disk is full" in done.stdout
    assert done.stderr.startswith("skerry: the server died")
    assert "Traceback" not in done.stdout + done.stderr


def test_an_interrupt_before_all_is_up_leaves_nothing_behind(machine: Machine) -> None:
    machine.settings["SKERRY_FAKE_DELAY"] = "60"
    up = machine.start("up", "--detach")
    machine.wait_for("Starting the server")
    deadline = time.monotonic() + 20
    while not machine.listens() and time.monotonic() < deadline:
        time.sleep(0.02)
    server = machine.pid("server")
    up.send_signal(signal.SIGTERM)
    up.wait(30)
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_a_taken_port_is_named_with_what_to_set(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", machine.port)):
        done = machine.run("up")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"another program listens on 127.0.0.1:{machine.port}" in line
    assert f"SKERRY_BIND=127.0.0.1:{machine.port + 1}" in line


def test_two_at_once_do_not_get_in_each_others_way(machine: Machine) -> None:
    machine.settings["SKERRY_FAKE_DELAY"] = "5"
    first = machine.start("up")
    machine.wait_for("Starting the server")
    second = machine.run("up")
    assert second.returncode == 1
    assert "another `make up` is at work" in second.stderr
    first.send_signal(signal.SIGTERM)
    first.wait(30)


def test_a_failing_command_is_one_sentence(machine: Machine) -> None:
    machine.program("skerry", 'echo "Traceback (most recent call last):" >&2; echo "skerry: no key" >&2; exit 1')
    done = machine.run("up")
    assert done.returncode == 1
    assert done.stderr == "skerry: `skerry init` failed: no key\n"


def test_the_tokens_are_private_and_never_an_argument(machine: Machine) -> None:
    log = machine.data.parent / "arguments"
    for name in ("skerry", "skerry-runner"):
        machine.program(name, f'echo "$*" >> {log}')
    done = machine.run("up", "--detach")
    assert done.returncode == 0, done.stderr
    said = log.read_text() + done.stdout
    assert "glpat-" not in said
    assert "glrt-" not in said
    for path in (machine.data / "setup" / "api-token", machine.data / "runner" / "config.toml"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert machine.data.stat().st_mode & 0o777 == 0o700
    assert not list((machine.data / "setup").glob("hello-*"))
