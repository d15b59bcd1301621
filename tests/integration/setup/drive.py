"""Runs the set-up's real commands without the parts that change the machine: packages, users, environment, Podman.

drive.py VENV COMMAND…: VENV/bin has the programs to use.
"""

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "contrib" / "setup"))

from skerry_setup import commands  # noqa: E402
from skerry_setup.accounts import Account  # noqa: E402
from skerry_setup.environment import Environment  # noqa: E402
from skerry_setup.settings import Settings, read_settings  # noqa: E402


def settings(environment: Mapping[str, str]) -> Settings:
    return read_settings(environment, REPOSITORY, as_root=False)


def accounts(as_root: bool, passed_on: Mapping[str, str]) -> tuple[Account, Account]:
    entry = pwd.getpwuid(os.geteuid())
    home = Path(os.environ["SKERRY_DATA_DIR"])
    us = Account(entry.pw_name, entry.pw_uid, entry.pw_gid, home, home, dict(passed_on))
    return us, us


if __name__ == "__main__":
    venv = Path(sys.argv[1])
    commands.read_settings = settings  # type: ignore[assignment]
    commands.service_accounts = accounts
    commands.ensure_packages = lambda as_root, groups: None
    commands.ensure_environment = lambda checkout, as_root: Environment(venv, REPOSITORY)  # type: ignore[assignment,misc]
    commands.configure_podman = lambda environment, account: None
    commands.ensure_base_image = lambda environment, account: None
    sys.exit(commands.main(sys.argv[2:]))
