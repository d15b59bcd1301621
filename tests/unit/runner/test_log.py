"""The daemon's own log."""

import json
import logging

import pytest
import structlog

from runner import log


@pytest.fixture(autouse=True)
def _restored():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_one_line_an_event_as_json(capsys):
    log.configure("info", "json")
    structlog.get_logger("x").info("job ended", job=7)
    structlog.get_logger("x").debug("hidden")
    logging.getLogger("runner.executor").warning("from %s", "logging")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["job"], first["level"]) == ("job ended", 7, "info")
    assert (second["event"], second["level"]) == ("from logging", "warning")


def test_text_keeps_an_event_on_one_line(capsys):
    log.configure("debug", "text")
    structlog.get_logger("x").warning("two\nlines", detail="a\nb")
    assert len(capsys.readouterr().err.splitlines()) == 1
