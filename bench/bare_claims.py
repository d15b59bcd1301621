"""The least that a server in Python can do for a claim: a Flask application with one view, which reads JSON, makes the
barest claim that SQL can do, committed as safely as ours, and answers with as much JSON as ours does.

Served by the same gunicorn; BENCH_DATABASE and BENCH_ANSWER say where the database and the answer are.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from flask import Flask, Response, jsonify, request

from bench.raw_claim import Execute, raw_claim
from tests.integration.stack import free_port, wait_until

PATH = "/claim"


def create_app() -> Flask:
    """The application; each of its threads has a connection of its own."""
    app, kept, turn = Flask(__name__), threading.local(), threading.Lock()
    database, answer = os.environ["BENCH_DATABASE"], json.loads(Path(os.environ["BENCH_ANSWER"]).read_text())
    on_sqlite = database.startswith("sqlite")

    def connected() -> Execute:
        if not hasattr(kept, "claim"):
            kept.context = raw_claim(database)
            kept.claim = kept.context.__enter__()
        return kept.claim

    @app.post(PATH)
    def claim() -> Response:
        mark = request.get_json()["token"]
        if on_sqlite:
            with turn:
                found = connected()(mark)
        else:
            found = connected()(mark)
        response = jsonify(answer | {"id": found})
        response.status_code = 201
        return response

    return app


@contextmanager
def bare_server(database: str, answer: Path) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], HTTPConnection]]]:
    """Its process, and what connects to it."""
    port = free_port()
    words = ["-k", "gthread", "--threads", "512", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    words += ["--keep-alive", "75", "--log-level", "error"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *words, "bench.bare_claims:create_app()"],
        env=os.environ | {"BENCH_DATABASE": database, "BENCH_ANSWER": str(answer)},
    )
    try:
        wait_until("the peer answers", lambda: _answers(HTTPConnection("127.0.0.1", port)))
        yield server, lambda: HTTPConnection("127.0.0.1", port, timeout=120)
    finally:
        server.terminate()
        server.wait()


def _answers(connection: HTTPConnection) -> bool:
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 404
    except OSError:
        return False
    finally:
        connection.close()
