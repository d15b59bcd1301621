"""`skerry-runner`: the commands that a person or a service manager gives.

Modules that take long to load are imported by the commands that need them: `--help` is there at once.
"""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.config import Config, RunnerConfig, default_path, load
from runner.toml_reader import ConfigError, clean_url

if TYPE_CHECKING:
    from runner.protocol.client import RunnerClient


class _Failed(click.ClickException):
    """The command could not do what it was asked for; the message says why."""


def _config_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "-c",
        "--config",
        "path",
        type=click.Path(dir_okay=False, path_type=Path),
        default=None,
        help="The configuration file. Default: $SKERRY_RUNNER_CONFIG, /etc/skerry-runner/config.toml for root, "
        "else ~/.config/skerry-runner/config.toml.",
    )(command)


def _load(path: Path | None) -> Config:
    path = path or default_path()
    try:
        config, warnings = load(path)
    except ConfigError as error:
        raise _Failed(str(error)) from None
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    if path.stat().st_mode & 0o077:
        click.echo(f"Warning: {path} holds tokens and is readable for others; chmod 600 it", err=True)
    return config


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="skerry", prog_name="skerry-runner")
def main() -> None:
    """Runs CI jobs in rootless Podman containers, for a Skerry or GitLab server.

    \b
    A first time:
      skerry-runner doctor                                  is this host ready?
      skerry-runner register --url URL --token glrt-…       join a server
      skerry-runner run                                     take jobs until stopped
    """


@main.command()
@_config_option
@click.option(
    "--url", required=True, envvar="CI_SERVER_URL", help="The server's address, such as https://ci.example.org/."
)
@click.option(
    "--token",
    envvar=["CI_SERVER_TOKEN", "SKERRY_RUNNER_TOKEN"],
    help="The runner's token, glrt-…; asked for if absent.",
)
@click.option(
    "--registration-token",
    "-r",
    envvar="REGISTRATION_TOKEN",
    help="A token of the older kind, with which this program makes a runner at the server itself.",
)
@click.option(
    "--name", "--description", "name", default=None, help="How this runner is called. Default: this host's name."
)
@click.option("--tag-list", default="", help="With --registration-token: the runner's tags, separated by commas.")
@click.option("--run-untagged", is_flag=True, help="With --registration-token: take jobs without tags as well.")
@click.option("--locked", is_flag=True, help="With --registration-token: only for the project of the token.")
@click.option("--paused", is_flag=True, help="With --registration-token: take no jobs until somebody says so.")
@click.option("--image", default="", help="The image of jobs that name none.")
@click.option("--executor", type=click.Choice(["podman", "fake"]), default="podman", hidden=True)
def register(
    path: Path | None,
    url: str,
    token: str | None,
    registration_token: str | None,
    name: str | None,
    image: str,
    executor: str,
    **wishes: Any,
) -> None:
    """Check a runner token at its server and add it to the configuration.

    The token is made at the server: `skerry runner create`, or the page of runners. There the runner's tags are said
    too; only with a registration token they are said here.
    """
    from runner import config_file
    from runner.protocol.outcomes import VerifyState

    try:
        url = clean_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None
    path = path or default_path()
    name = name or socket.gethostname()
    if registration_token and not token:
        token = _new_runner(RunnerConfig(name=name, url=url, token=registration_token, executor=executor), path, wishes)
    elif any(wishes.values()):
        raise click.UsageError("Tags and the like are settings of the runner at the server; here only with -r.")
    token = token or click.prompt("The runner's token", hide_input=True)
    runner = RunnerConfig(name=name, url=url, token=token, executor=executor)
    verification = _client(runner, path).verify()
    if verification.state is not VerifyState.VALID:
        said = "does not accept this token" if verification.state is VerifyState.INVALID else "could not be asked"
        raise _Failed(f"{url} {said}: {verification.detail}")
    values = {"name": runner.name, "url": url, "id": verification.runner_id, "token": token, "executor": executor}
    try:
        config_file.add_runner(path, values, {"image": image} if image else {})
    except ConfigError as error:
        raise _Failed(str(error)) from None
    click.echo(f"Runner {runner.short_token} is registered in {path}. Start it with: skerry-runner run")


def _new_runner(registration: RunnerConfig, path: Path, wishes: Mapping[str, Any]) -> str:
    """The token of a runner made with a registration token."""
    from runner.protocol.client import Wishes

    tags = ",".join(tag.strip() for tag in wishes["tag_list"].split(",") if tag.strip())
    flags = {key: wishes[key] for key in ("run_untagged", "locked", "paused")}
    # As gitlab-runner has it: a runner without tags takes the jobs without tags, or it would take none.
    flags["run_untagged"] = flags["run_untagged"] or not tags
    token, words = _client(registration, path).register(Wishes(registration.name, tags, **flags))
    if not token:
        raise _Failed(f"{registration.url} does not register this runner: {words}")
    return token


@main.command()
@_config_option
@click.option("--name", default=None, help="The runner to remove, by its name.")
@click.option("--token", default=None, help="The runner to remove, by its token.")
@click.option("--all-runners", is_flag=True, help="Remove all runners of the configuration.")
@click.option("--keep-at-server", is_flag=True, help="Only forget it here.")
def unregister(path: Path | None, name: str | None, token: str | None, all_runners: bool, keep_at_server: bool) -> None:
    """Delete a runner at its server and remove it from the configuration."""
    from runner import config_file

    config = _load(path)
    chosen = [r for r in config.runners if all_runners or (name and r.name == name) or (token and r.token == token)]
    if not chosen:
        raise _Failed("Say which runner: --name, --token or --all-runners. `skerry-runner list` shows them.")
    failed = False
    for runner in chosen:
        gone, words = (True, "") if keep_at_server else _client(runner, config.path).unregister()
        if gone:
            config_file.remove_runner(config.path, runner.url, runner.token)
            click.echo(f"Runner {runner.short_token} ({runner.name}) is removed")
        else:
            failed = True
            click.echo(f"Runner {runner.short_token} ({runner.name}) is still there: {words}", err=True)
    if failed:
        raise _Failed("Not all runners could be deleted at their server; --keep-at-server removes them here alone.")


@main.command("list")
@_config_option
def list_runners(path: Path | None) -> None:
    """Show the runners of the configuration."""
    config = _load(path)
    click.echo(f"{config.path}: {len(config.runners)} runner(s), {config.concurrent} job(s) at once")
    for runner in config.runners:
        click.echo(f"{runner.name}\t{runner.executor}\t{runner.short_token}\t{runner.url}")


@main.command()
@_config_option
def verify(path: Path | None) -> None:
    """Ask each server whether it knows this runner. Exit code 1 when one does not, or cannot be asked."""
    from runner.protocol.outcomes import VerifyState

    config = _load(path)
    fine = True
    for runner in config.runners:
        verification = _client(runner, config.path).verify()
        fine = fine and verification.state is VerifyState.VALID
        words = {VerifyState.VALID: "is valid", VerifyState.INVALID: "is not valid"}.get(
            verification.state, "could not be checked"
        )
        click.echo(f"{runner.name} {runner.short_token} {words} at {runner.url} {verification.detail}".rstrip())
    sys.exit(0 if fine else 1)


@main.command()
@_config_option
@click.option("--user", default=None, hidden=True, help="Accepted for gitlab-runner's unit files; has no effect.")
def run(path: Path | None, user: str | None) -> None:
    """Take jobs until stopped.

    SIGTERM, SIGQUIT or Ctrl-C: take no more jobs, let running ones finish within `shutdown_timeout`, then exit.
    A second signal ends running jobs at once; the server is told that the runner was interrupted.
    """
    from runner import log
    from runner.daemon import AlreadyRunningError, Daemon
    from runner.executor.base import ExecutorError

    config = _load(path)
    if not config.runners:
        raise _Failed(f"{config.path} has no [[runners]]; `skerry-runner register` adds one")
    log.configure(config.log_level, config.log_format)
    try:
        Daemon(config).run()
    except (AlreadyRunningError, ExecutorError, OSError) as error:
        raise _Failed(str(error)) from None


@main.command()
@click.option("--bind", default="127.0.0.1:3001", show_default=True, help="Address to listen on.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where runs and logs are kept.")
@click.option("--concurrent", type=click.IntRange(1, 1000), default=4, show_default=True, help="Runs at once.")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A configuration file whose first [[runners]] says what Podman may do here.",
)
@click.option("--executor", type=click.Choice(["podman", "fake"]), default="podman", hidden=True)
def serve(bind: str, data_dir: Path | None, concurrent: int, path: Path | None, executor: str) -> None:
    """Run the plans that a Candor dashboard sends: GET /, POST /run, GET /logs/RUNID.

    RUNNER_TOKEN or RUNNER_TOKEN_FILE says by which token callers are known. RUNNER_LOGS is the folder of the logs,
    RUNNER_CONTAINER_TIMEOUT the seconds that a stage may take. S3_ACCESS and S3_SECRET let it keep archived files in
    S3_BUCKET.
    """
    import os
    from dataclasses import replace

    from runner import log
    from runner import serve as server
    from runner.config import default_data_dir
    from runner.daemon import AlreadyRunningError
    from runner.executor.base import ExecutorError

    named = _load(path) if path else None
    folder = (data_dir or default_data_dir(default_path()) / "serve").absolute()
    runner = RunnerConfig(name="serve", url="", token="pushed", executor=executor)  # noqa: S106 - it is no secret
    if named and named.runners:
        runner = replace(runner, podman=named.runners[0].podman)
    log.configure(named.log_level if named else "info", named.log_format if named else "text")
    try:
        settings = server.read_settings(bind, os.environ, folder)
        server.serve(settings, Config(path=path or default_path(), data_dir=folder, concurrent=concurrent), runner)
    except (AlreadyRunningError, ExecutorError, OSError, server.ServeError) as error:
        raise _Failed(str(error)) from None


@main.command()
def doctor() -> None:
    """Check whether this host can run jobs, and say how to mend what it lacks. Exit code 1 when something is
    missing.
    """
    from importlib import import_module

    checks = import_module("runner.doctor").run_checks()
    for check in checks:
        click.echo(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
        if not check.ok and check.mend:
            click.echo(f"     {check.mend}")
    sys.exit(0 if all(check.ok for check in checks) else 1)


def _client(runner: RunnerConfig, path: Path) -> "RunnerClient":
    """A client for one question, with the identity that the daemon will have where the configuration is readable."""
    from runner import identity
    from runner.config import default_data_dir
    from runner.protocol.client import RunnerClient
    from runner.protocol.info import runner_info
    from runner.protocol.transport import Transport

    try:
        folder = load(path)[0].data_dir
    except ConfigError:
        folder = default_data_dir(path)
    try:
        system_id = identity.system_id(folder)
    except OSError as error:
        raise _Failed(f"{folder} cannot be written: {error.strerror}") from None
    return RunnerClient(
        Transport(runner.url, runner.tls_ca_file), runner.token, system_id, runner_info(runner.executor, {})
    )
