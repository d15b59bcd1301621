"""`skerry-runner serve`: Candor's runner API (candor.md A.7) over the runs of `pushed_runs`.

    GET /                   200, for everybody: the runner is there
    POST /run               {"runId"?, "plan"} → the result, when the run has ended
    GET, POST /logs/RUNID   the log, also while the run goes on

All but the first want `Authorization: Bearer TOKEN`.
"""

import hashlib
import hmac
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import structlog
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from runner import identity
from runner.archives import Archives, Store, read_store
from runner.config import Config, RunnerConfig
from runner.daemon import lock_folder, make_host
from runner.job.run import Host
from runner.plan import PlanError, is_run_id, parse_plan
from runner.pushed_runs import AlreadyRunsError, PushedRuns

log = structlog.get_logger("runner.serve")

BODY_LIMIT = 4 * 1024 * 1024
LAST_WORDS = 20.0
_PIECE = 64 * 1024
#: What the original read from its environment and this runner does not do: better no runner than one that forgets it.
_UNSUPPORTED = ("RUNNER_SHARED", "RUNNER_CONTAINER_CONFIG_B")


class ServeError(Exception):
    """The settings are not such that runs could be served."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`bind` is (host, port); `stage_timeout` in seconds, 0 for none; `store` None: no file is kept."""

    bind: tuple[str, int]
    token: str
    logs: Path
    stage_timeout: int = 0
    store: Store | None = None


def read_settings(bind: str, environment: Mapping[str, str], data_dir: Path) -> Settings:
    """The settings in `RUNNER_*` and `S3_*`. Raises ServeError for what is missing, wrong or not supported."""
    if refused := [name for name in _UNSUPPORTED if environment.get(name)]:
        raise ServeError(f"{', '.join(sorted(refused))}: this runner does not do that; unset it to start without")
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ServeError(f"{bind!r} is no address such as 127.0.0.1:3001")
    timeout = environment.get("RUNNER_CONTAINER_TIMEOUT") or "0"
    if not timeout.removeprefix("-").isdigit():
        raise ServeError(f"RUNNER_CONTAINER_TIMEOUT: {timeout!r} is no number of seconds")
    logs = environment.get("RUNNER_LOGS")
    try:
        store = read_store(environment)
    except ValueError as error:
        raise ServeError(str(error)) from None
    return Settings(
        bind=(host.strip("[]"), int(port)),
        token=_token(environment),
        logs=Path(logs).absolute() if logs else data_dir / "logs",
        stage_timeout=max(0, int(timeout)),
        store=store,
    )


def _token(environment: Mapping[str, str]) -> str:
    token, file = environment.get("RUNNER_TOKEN", ""), environment.get("RUNNER_TOKEN_FILE")
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ServeError(f"RUNNER_TOKEN_FILE: {file} cannot be read: {error}") from None
    if not token:
        raise ServeError("RUNNER_TOKEN or RUNNER_TOKEN_FILE has to say by which token callers are known")
    return token


class RunnerApi:
    """The WSGI application."""

    def __init__(self, runs: PushedRuns, token: str) -> None:
        self._runs = runs
        self._expected = f"Bearer {token}".encode()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        request.max_content_length = BODY_LIMIT
        try:
            response = self._answer(request)
        except RequestEntityTooLarge:
            response = _word(413)
        except HTTPException:
            response = _word(400)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/":
            return Response(status=200) if request.method in ("GET", "HEAD") else _word(405)
        given = request.headers.get("Authorization")
        if given is None:
            return _word(400)
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._expected):
            return _word(401)
        if request.path == "/run":
            return self._run(request) if request.method == "POST" else _word(405)
        if request.path.startswith("/logs/"):
            known = request.method in ("GET", "POST")
            return self._log(request.path.removeprefix("/logs/")) if known else _word(405)
        return _word(404)

    def _run(self, request: Request) -> Response:
        if not request.is_json:
            return _word(415)
        try:
            body = json.loads(request.get_data())
            plan = parse_plan(body.get("plan") if isinstance(body, dict) else None)
        except (ValueError, RecursionError, PlanError) as error:
            log.warning("plan refused", reason=str(error))
            return _word(400)
        run_id = body.get("runId")
        run_id = secrets.token_hex(6) if run_id is None else run_id
        if not isinstance(run_id, str) or not is_run_id(run_id):
            return _word(400)
        try:
            result = self._runs.run(run_id, plan)
        except AlreadyRunsError:
            return _word(400)
        except OSError as error:
            log.error("run could not be kept", run=run_id, error=error.strerror)
            result = {"status": "Error"}
        return Response(json.dumps(result), mimetype="application/json")

    def _log(self, run_id: str) -> Response:
        """What has been printed so far. A name that is none could only be a try to get at other files."""
        if not is_run_id(run_id):
            return _word(400)
        try:
            file = self._runs.log_of(run_id).open("rb")
        except OSError:
            return _word(404)
        response = Response(_pieces(file), mimetype="text/plain")
        response.call_on_close(file.close)
        return response


def _word(status: int) -> Response:
    return Response(HTTPStatus(status).phrase, status, mimetype="text/plain")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


class _QuietHandler(WSGIRequestHandler):
    """Says in the runner's own log who asked for what."""

    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.debug("request", line=self.requestline, status=code, client=self.address_string())

    def log(self, type: str, message: str, *args: Any) -> None:
        log.info("connection", detail=message % args if args else message, client=self.address_string())


class RunServer:
    """The HTTP server, its runs and the place where they run."""

    def __init__(self, settings: Settings, host: Host, runs: PushedRuns) -> None:
        self._host = host
        self._runs = runs
        self._stop = threading.Event()
        api = RunnerApi(runs, settings.token)
        self._http = make_server(*settings.bind, api, threaded=True, request_handler=_QuietHandler)
        self._http.daemon_threads = True  # type: ignore[attr-defined]

    @property
    def port(self) -> int:
        return self._http.server_port

    def start(self) -> None:
        """Answer from now on, in threads of this process."""
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """End the runs, answer who waits for them, and give everything back."""
        self._runs.stop()
        self._runs.wait(LAST_WORDS, time.sleep)
        self._http.shutdown()
        self._http.server_close()
        self._host.executor.close()

    def serve(self) -> None:
        """Serve until SIGTERM, SIGQUIT or Ctrl-C."""

        def on_signal(number: int, frame: FrameType | None) -> None:
            self._stop.set()

        for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            signal.signal(number, on_signal)
        self.start()
        log.info("runner serves", port=self.port)
        while not self._stop.wait(1.0):
            pass
        self.stop()
        log.info("runner stopped")


def runner_label(data_dir: Path) -> str:
    """What this runner's containers are labelled with: its own, also beside a daemon on the same host, since what bears
    the label is removed at the next start.
    """
    folder = hashlib.sha256(os.fsencode(data_dir)).hexdigest()
    return f"{identity.system_id(data_dir)}-{folder[:12]}"


def serve(settings: Settings, config: Config, runner: RunnerConfig) -> None:
    """Serve pushed runs. Raises ExecutorError, AlreadyRunningError or OSError when it cannot begin."""
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = lock_folder(config.data_dir)
    try:
        host = make_host(config, runner, runner_label(config.data_dir), secrets.token_hex(8))
        try:
            host.executor.remove_orphans(host.system_id, host.boot)
            host.workspaces.remove_orphans()
            scratch = config.data_dir / "runs"
            archives = Archives(settings.store) if settings.store else None
            runs = PushedRuns(host, settings.logs, scratch, config.concurrent, settings.stage_timeout, archives)
            server = RunServer(settings, host, runs)
        except BaseException:
            host.executor.close()
            raise
        server.serve()
    finally:
        os.close(lock)
