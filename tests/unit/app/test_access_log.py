"""The line of log that each request makes."""

import json
import logging
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from gunicorn.config import Config

from app.logs import configure
from app.serve import JsonLogger

ENVIRON = {"REQUEST_METHOD": "GET", "RAW_URI": "/a/glpat-secret%2Fb?token=secret", "REMOTE_ADDR": "192.0.2.1"}
ANSWER = SimpleNamespace(status="404 NOT FOUND", sent=12, headers=[("X-Other", "y"), ("X-Request-Id", "abc")])


@pytest.fixture(autouse=True)
def root() -> Any:
    found = logging.getLogger()
    structlog.contextvars.clear_contextvars()  # of a request that a test before made in this thread
    before = found.handlers, found.level
    yield found
    found.handlers, found.level = before[0], before[1]


def test_a_request_is_one_line_like_all_others_and_tells_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logger = JsonLogger(Config())
    logger.access(ANSWER, None, ENVIRON, timedelta(seconds=0.01234))
    logger.info("another")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    for line in first, second:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line.pop("timestamp"))
    assert second == {"event": "another", "level": "info", "logger": "gunicorn"}
    assert first == {
        "event": "request",
        "level": "info",
        "logger": "gunicorn",
        "method": "GET",
        "path": "/a/glpat-[hidden]%2Fb",
        "status": 404,
        "bytes": 12,
        "milliseconds": 12.3,
        "remote": "192.0.2.1",
        "request_id": "abc",
    }


def test_there_is_none_where_only_warnings_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING")
    JsonLogger(Config()).access(ANSWER, None, ENVIRON, timedelta())
    assert capsys.readouterr().err == ""
