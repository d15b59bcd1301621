"""Settings are typed, come from files too, and nonsense is refused by name."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.config import PREFIX, Config, ConfigError, read_config

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"


def test_nothing_set_is_a_working_installation():
    config = read_config({})
    assert config.database_url == f"sqlite:///{Path.cwd() / 'data' / 'skerry.db'}"
    assert config.external_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "8000"),
        ("BIND", "host:99999"),
        ("EXTERNAL_URL", "ftp://x"),
        ("EXTERNAL_URL", "https://user@host"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("DATABASE_URL", "mysql://x"),
        ("WORKERS", "0"),
        ("WORKERS", "two"),
        ("POLL_WAIT", "51"),
        ("LOG_LEVEL", "LOUD"),
        ("ALLOW_REGISTRATION", "perhaps"),
        ("TRACE_LIMIT", "-1"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "candor.example.com"),
        ("ALLOWED_ORIGINS", "https://candor.example.com/path"),
        ("ALLOWED_ORIGINS", "https://user@candor.example.com, https://a.example"),
    ],
)
def test_nonsense_is_refused_with_the_variables_name(name, value):
    with pytest.raises(ConfigError, match=f"^{PREFIX}{name}: must be "):
        read_config({PREFIX + name: value})


def test_a_value_may_lie_in_a_file(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql://u:p@h/n\n")
    assert read_config({"SKERRY_DATABASE_URL_FILE": str(secret)}).database_url == "postgresql+psycopg://u:p@h/n"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"SKERRY_SECRET_KEY_FILE: cannot read .*gone"):
        read_config({"SKERRY_SECRET_KEY_FILE": str(tmp_path / "gone")})


def test_several_processes_need_postgresql():
    with pytest.raises(ConfigError, match="PostgreSQL"):
        read_config({"SKERRY_WORKERS": "2"})
    assert read_config({"SKERRY_WORKERS": "2", "SKERRY_DATABASE_URL": "postgresql://h/n"}).workers == 2


def test_waiting_requests_leave_threads_for_pages():
    with pytest.raises(ConfigError, match="SKERRY_MAX_WAITING"):
        read_config({"SKERRY_THREADS": "8", "SKERRY_MAX_WAITING": "8"})


def test_every_setting_is_documented_and_no_other():
    documented = set(re.findall(r"^\| `SKERRY_([A-Z_]+)`", DOCS.read_text(), re.MULTILINE))
    assert documented == {setting.name.upper() for setting in fields(Config)}
