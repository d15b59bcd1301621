"""`skerry doctor` finds what is wrong and says how to mend it."""

from app.config import read_config
from app.doctor import run_checks
from app.services.initialise import prepare_folder


def _levels(environment):
    return {check.name: check.level for check in run_checks(environment)}


def test_a_setting_that_makes_no_sense_is_the_first_thing_said():
    assert _levels({"SKERRY_BIND": "nowhere"}) == {"settings": "error"}


def test_a_folder_that_is_not_there_asks_for_init(tmp_path):
    checks = list(run_checks({"SKERRY_DATA_DIR": str(tmp_path / "none")}))
    assert (checks[-1].name, checks[-1].level, checks[-1].mend) == ("data folder", "error", "skerry init")


def test_an_open_key_and_an_open_folder_are_found(tmp_path):
    environment = {"SKERRY_DATA_DIR": str(tmp_path / "data")}
    assert list(prepare_folder(read_config(environment)))
    assert _levels(environment)["key of secrets"] == "ok"
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "secret.key").chmod(0o644)
    levels = _levels(environment)
    assert (levels["data folder"], levels["key of secrets"]) == ("warning", "error")


def test_a_database_without_tables_asks_for_init(tmp_path):
    environment = {"SKERRY_DATA_DIR": str(tmp_path / "data")}
    assert list(prepare_folder(read_config(environment)))
    found = {check.name: check for check in run_checks(environment)}
    assert (found["database"].level, found["database"].mend) == ("error", "skerry init")


def test_an_open_address_without_tls_is_a_warning(tmp_path):
    environment = {"SKERRY_DATA_DIR": str(tmp_path / "data"), "SKERRY_BIND": "0.0.0.0:8000"}
    assert list(prepare_folder(read_config(environment)))
    assert _levels(environment)["address"] == "warning"
