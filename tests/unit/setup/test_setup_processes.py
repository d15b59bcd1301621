"""Processes are known again, and nobody else's is ever signalled."""

import json
import os
import pwd
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from skerry_setup.accounts import Account
from skerry_setup.processes import Process, Service, find_process, write_pid_file

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
WILLING = "import time; print('ready', flush=True); time.sleep(60)"
US = {os.geteuid()}


@pytest.fixture
def account(tmp_path: Path) -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, tmp_path, tmp_path, {})


class Services:
    """Makes services and ends in the end what still runs."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.folder = folder
        self.started: list[Process] = []

    def start(self, code: str) -> tuple[Service, Process]:
        command = (sys.executable, "-c", code)
        service = Service(
            "it", self.account, command, self.account.environment(), self.folder / "it.log", self.folder / "it.pid"
        )
        before = service.last_lines().count("ready")
        process = service.start()
        self.started.append(process)
        deadline = time.monotonic() + 20
        while service.last_lines().count("ready") == before and time.monotonic() < deadline:
            time.sleep(0.01)
        return service, process


@pytest.fixture
def services(account: Account, tmp_path: Path) -> Iterator[Services]:
    made = Services(account, tmp_path)
    yield made
    for process in made.started:
        process.stop(0)


def test_a_started_program_is_found_again_until_it_ends(services: Services) -> None:
    service, process = services.start(WILLING)
    found = find_process(service.pid_file, US)
    assert found is not None
    assert found.pid == process.pid
    assert found.stop(10)
    assert find_process(service.pid_file, US) is None


def test_a_program_that_ignores_sigterm_is_killed(services: Services) -> None:
    _, process = services.start(STUBBORN)
    assert not process.stop(0.3)
    assert not process.is_alive()


def test_a_second_signal_of_the_user_ends_the_patience(services: Services) -> None:
    _, process = services.start(STUBBORN)
    started = time.monotonic()
    assert not process.stop(60, hurry=lambda: True)
    assert time.monotonic() - started < 10


def test_a_number_that_went_to_another_process_is_not_taken_for_ours(services: Services) -> None:
    service, process = services.start(WILLING)
    known = json.loads(service.pid_file.read_text())
    for key, other in (("started", known["started"] - 1), ("boot", "another-boot")):
        service.pid_file.write_text(json.dumps(known | {key: other}))
        assert find_process(service.pid_file, US) is None
    assert process.is_alive()


def test_a_process_of_a_user_who_is_none_of_ours_is_not_found(services: Services) -> None:
    service, _ = services.start(WILLING)
    assert find_process(service.pid_file, {os.geteuid() + 1}) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": 0}', '{"pid": 4194305}', "\xff"])
def test_a_broken_pid_file_names_nobody(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.pid"
    path.write_text(content, encoding="latin-1")
    assert find_process(path, US) is None


def test_a_missing_pid_file_names_nobody(tmp_path: Path) -> None:
    assert find_process(tmp_path / "none.pid", US) is None


def test_a_program_that_ended_is_not_found_though_nobody_reaped_it(tmp_path: Path) -> None:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
    write_pid_file(tmp_path / "x.pid", pid)
    assert find_process(tmp_path / "x.pid", US) is not None
    os.kill(pid, 9)
    Process(pid).wait(10)
    assert find_process(tmp_path / "x.pid", US) is None
    os.waitpid(pid, 0)


def test_a_log_is_private_and_keeps_what_was_there(services: Services) -> None:
    services.start(WILLING)[1].stop(10)
    service, _ = services.start(WILLING)
    assert service.last_lines() == ["ready", "ready"]
    assert service.log.stat().st_mode & 0o777 == 0o600


def test_a_link_in_place_of_the_log_is_not_followed(services: Services) -> None:
    (services.folder / "target").write_text("")
    (services.folder / "it.log").symlink_to(services.folder / "target")
    with pytest.raises(OSError, match="symbolic"):
        services.start(WILLING)
    assert (services.folder / "target").read_text() == ""


def test_the_program_gets_a_clean_environment(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    service, _ = services.start("import os; print(sorted(os.environ)); print('ready', flush=True)")
    assert "SECRET_OF_THE_CALLER" not in service.last_lines()[0]
