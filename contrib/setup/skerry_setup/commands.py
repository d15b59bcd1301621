"""The commands: up, down, environment. Every failure ends as one sentence on standard error and exit code 1."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .accounts import Account, existing_uids, service_accounts
from .api import Api
from .environment import Environment, ensure_environment
from .packages import ensure_packages
from .podman_host import configure_podman, ensure_base_image, open_devices
from .runner import Runner
from .sample import Sample
from .server import ADMIN, Server, require_free_port
from .settings import Settings, read_settings
from .supervise import (
    RUNNER_PATIENCE,
    SERVER_PATIENCE,
    Interrupted,
    Interrupts,
    Supervisor,
    announced,
    exclusive,
    find_service,
    running_settings,
    stop_process,
)
from .ui import SetupError, line, note, step


def main(arguments: Sequence[str]) -> int:
    """Runs a command; its exit code."""
    parser = argparse.ArgumentParser(prog="main.py", description="Sets Skerry up on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser(
        "up", help="install what is missing, start server and runner, run the sample pipeline, keep serving"
    )
    up.add_argument(
        "--detach", action="store_true", help="return when the sample pipeline has ended, leaving both running"
    )
    commands.add_parser("down", help="stop what `up` started")
    environment = commands.add_parser("environment", help="make the virtual environment")
    environment.add_argument("--development", action="store_true", help="with what the tests and checks need")
    environment.add_argument(
        "--test-host", action="store_true", help="as root: also the packages and users that the tests use"
    )
    given = parser.parse_args(arguments)
    os.umask(0o022)
    interrupts = Interrupts()
    try:
        if given.command == "environment":
            return prepare_environment(given.development, given.test_host)
        settings = read_settings(os.environ)
        return (
            up_command(settings, interrupts, given.detach)
            if given.command == "up"
            else down_command(settings, interrupts)
        )
    except SetupError as error:
        print(f"skerry: {error}", file=sys.stderr)
    except Interrupted:
        print("skerry: interrupted", file=sys.stderr)
    except OSError as error:
        print(f"skerry: {error.filename or 'this machine'}: {error.strerror}", file=sys.stderr)
    return 1


def up_command(settings: Settings, interrupts: Interrupts, detach: bool) -> int:
    """Everything from an empty machine to a green pipeline; then serves, or with `detach` returns."""
    _prepare_state_dir(settings)
    with exclusive(settings) as free:
        owners = existing_uids(settings.as_root)
        running = [find_service(settings, name, owners) for name in ("server", "runner")]
        if all(running):
            return _already_running(settings, interrupts, detach)
        if not free:
            raise SetupError(
                f"another `make up` is at work on {settings.data_dir}.", "Wait for it, or stop it with `make down`."
            )
        for process in filter(None, reversed(running)):
            stop_process("what is left of an earlier run", process, SERVER_PATIENCE, interrupts)
        require_free_port(settings)
        server, runner = _prepare(settings)
        return serve(settings, interrupts, server, runner, detach)


def down_command(settings: Settings, interrupts: Interrupts) -> int:
    """Stops what `up` started on this data folder."""
    owners = existing_uids(settings.as_root)
    foreground = find_service(settings, "up", {os.geteuid()})
    found = foreground is not None
    if foreground is not None:
        stop_process(
            "the `make up` in the foreground, and with it server and runner",
            foreground,
            RUNNER_PATIENCE + SERVER_PATIENCE,
            interrupts,
        )
    for name, patience in (("runner", RUNNER_PATIENCE), ("server", SERVER_PATIENCE)):
        process = find_service(settings, name, owners)
        if process is not None:
            found = True
            stop_process(f"the {name}", process, patience, interrupts)
        if settings.state_dir.is_dir():
            (settings.state_dir / f"{name}.pid").unlink(missing_ok=True)
    line("Stopped." if found else f"Nothing is running on {settings.data_dir}.")
    return 0


def prepare_environment(development: bool, test_host: bool) -> int:
    """The virtual environment, and for the tests what they need of the host as far as it may be installed."""
    settings = read_settings({})
    if test_host and settings.as_root:
        ensure_packages(True, ("base", "extra", "test"))
        open_devices()
        service_accounts(True, settings.passed_on())
    ensure_environment(settings.checkout, settings.as_root, development=development)
    return 0


def _prepare(settings: Settings) -> tuple[Server, Runner]:
    """Host, users, environment, data: all that can be done before anything runs."""
    ensure_packages(settings.as_root, ("base", "extra"))
    server_account, runner_account = service_accounts(settings.as_root, settings.passed_on())
    if not settings.as_root:
        note(f"Server and runner both run as {server_account.name}: who breaks out of a job's container reads the")
        note("server's data. Started by root, `make up` keeps the two apart as two users.")
    environment = ensure_environment(settings.checkout, settings.as_root)
    server = Server(settings, environment, server_account)
    runner = Runner(settings, environment, runner_account)
    step(f"Preparing the data folder {settings.data_dir}")
    server.initialise()
    _link_data(settings)
    runner.prepare()
    _prepare_podman(settings, environment, runner_account)
    return server, runner


def _prepare_podman(settings: Settings, environment: Environment, account: Account) -> None:
    if settings.as_root:
        open_devices()
    configure_podman(environment, account)
    ensure_base_image(environment, account)


def serve(settings: Settings, interrupts: Interrupts, server: Server, runner: Runner, detach: bool) -> int:
    """Starts both, runs the sample; then serves until a signal, or with `detach` leaves them running. The exit code."""
    supervisor = Supervisor(interrupts)
    leave_running = False
    try:
        with announced(settings):
            step(f"Starting the server at {settings.local_url}")
            supervisor.start(server.service())
            api = server.api_when_ready(supervisor.check)
            runner.ensure_registered(server)
            step("Starting the runner")
            supervisor.start(runner.service())
            passed = _run_sample(server, api, supervisor)
            _show_links(settings, passed)
            if detach:
                leave_running = True
                return 0 if passed else 1
            line("Ctrl-C stops both.")
            supervisor.watch()
    except Interrupted:
        return 0
    finally:
        if not leave_running:
            supervisor.stop()
    return 1


def _run_sample(server: Server, api: Api, supervisor: Supervisor) -> bool:
    """True if the sample passed. What is wrong with it alone is told, but is no reason to stop serving."""
    try:
        return Sample(server, api, supervisor.check).run()
    except SetupError as error:
        supervisor.check()
        note(f"The sample pipeline cannot be run: {error}")
        return False


def _already_running(settings: Settings, interrupts: Interrupts, detach: bool) -> int:
    settings = running_settings(settings)
    line(f"Skerry is already running at {settings.local_url}; `make down` stops it.")
    if not detach:
        return 0
    server_account, _ = service_accounts(settings.as_root, settings.passed_on())
    server = Server(settings, ensure_environment(settings.checkout, settings.as_root), server_account)
    supervisor = Supervisor(interrupts)
    passed = _run_sample(server, server.api_when_ready(supervisor.check), supervisor)
    _show_links(settings, passed)
    return 0 if passed else 1


def _show_links(settings: Settings, passed: bool) -> None:
    address = settings.environment.get("SKERRY_EXTERNAL_URL") or settings.local_url
    line()
    line(f"Skerry serves at {address}" + ("" if passed else ", but its sample pipeline did not pass."))
    note(f"sign in    as {ADMIN}")
    note(f"pipelines  {address}/skerry/hello")
    note(f"logs       {settings.data_dir / 'server.log'}, {settings.runner_dir / 'runner.log'}")
    note("stop       make down")


def _prepare_state_dir(settings: Settings) -> None:
    if not settings.as_root:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.state_dir.mkdir(mode=0o755 if settings.as_root else 0o700, parents=True, exist_ok=True)


def _link_data(settings: Settings) -> None:
    """Leaves a link where the user looks for the data when it had to be put elsewhere."""
    link = Path(settings.checkout, "data")
    if not settings.relocated or link.is_symlink():
        return
    if link.exists():
        raise SetupError(
            f"{link} is in the way of a link to {settings.data_dir}.", "Move it away, then run this again."
        )
    link.symlink_to(settings.data_dir, target_is_directory=True)
    note(f"The user skerry cannot go to {settings.checkout}: the data is kept there, and {link} leads to it.")
