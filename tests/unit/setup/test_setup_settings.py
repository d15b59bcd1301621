"""What `make up` reads from the environment."""

from pathlib import Path

import pytest
from skerry_setup.settings import read_settings
from skerry_setup.ui import SetupError

CHECKOUT = Path("/srv/checkout")


def test_without_settings_the_server_listens_on_loopback_only() -> None:
    settings = read_settings({}, CHECKOUT, as_root=False)
    assert settings.bind == "127.0.0.1:8000"
    assert settings.local_url == "http://127.0.0.1:8000"
    assert settings.data_dir == CHECKOUT / "data"


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("[::]:9000", "http://[::1]:9000"),
        ("[::1]:80", "http://[::1]:80"),
        ("ci.example:1", "http://ci.example:1"),
    ],
)
def test_the_set_up_talks_to_the_address_that_the_server_listens_on(bind: str, url: str) -> None:
    settings = read_settings({"SKERRY_BIND": bind}, CHECKOUT, as_root=False)
    assert settings.local_url == url
    assert settings.server_environment()["SKERRY_BIND"] == bind


@pytest.mark.parametrize(
    "bind", ["8000", ":8000", "localhost", "localhost:http", "localhost:0", "h:65536", "unix:/a.sock"]
)
def test_an_address_that_makes_no_sense_is_refused_with_an_example(bind: str) -> None:
    with pytest.raises(SetupError, match=r"SKERRY_BIND=127\.0\.0\.1:8000"):
        read_settings({"SKERRY_BIND": bind}, CHECKOUT, as_root=False)


def test_the_server_gets_every_setting_of_the_caller_but_none_of_the_runners() -> None:
    given = {
        "SKERRY_EXTERNAL_URL": "https://ci.example",
        "SKERRY_TRUSTED_PROXIES": "10.0.0.1",
        "SKERRY_DATA_DIR": "/srv/data",
        "SKERRY_RUNNER_CONFIG": "/elsewhere",
        "HOME": "/root",
    }
    assert read_settings(given, CHECKOUT, as_root=False).server_environment() == {
        "SKERRY_EXTERNAL_URL": "https://ci.example",
        "SKERRY_TRUSTED_PROXIES": "10.0.0.1",
        "SKERRY_DATA_DIR": "/srv/data",
        "SKERRY_BIND": "127.0.0.1:8000",
    }


def test_only_harmless_variables_reach_the_services() -> None:
    given = {"https_proxy": "http://proxy", "LD_PRELOAD": "/evil.so", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "."}
    assert read_settings(given, CHECKOUT, as_root=False).passed_on() == {"https_proxy": "http://proxy"}


def test_root_keeps_the_data_elsewhere_when_the_service_user_cannot_reach_the_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "private" / "checkout"
    checkout.mkdir(parents=True)
    checkout.parent.chmod(0o700)
    settings = read_settings({}, checkout, as_root=True)
    assert settings.relocated
    assert settings.data_dir.parent == Path("/var/lib/skerry")
    assert read_settings({}, tmp_path / "private" / "other", as_root=True).data_dir != settings.data_dir


def test_root_is_told_when_the_named_data_folder_cannot_be_reached(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(SetupError, match="where the user skerry cannot go"):
        read_settings({"SKERRY_DATA_DIR": str(tmp_path / "data")}, CHECKOUT, as_root=True)


def test_two_data_folders_share_neither_process_files_nor_runner() -> None:
    one = read_settings({"SKERRY_DATA_DIR": "/srv/one"}, CHECKOUT, as_root=True)
    two = read_settings({"SKERRY_DATA_DIR": "/srv/two"}, CHECKOUT, as_root=True)
    assert one.state_dir != two.state_dir
    assert one.runner_dir != two.runner_dir


def test_as_root_the_runner_keeps_nothing_in_the_servers_folder() -> None:
    settings = read_settings({"SKERRY_DATA_DIR": "/srv/data"}, CHECKOUT, as_root=True)
    assert not settings.runner_dir.is_relative_to(settings.data_dir)
    assert not settings.state_dir.is_relative_to(settings.data_dir)
