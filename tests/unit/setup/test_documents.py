"""What the documents promise is there."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
PAGES = [*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md"), *(TOP / "contrib").rglob("*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= targets


def test_make_alone_lists_every_target_for_users() -> None:
    shown = subprocess.run(["make", "-C", TOP], capture_output=True, text=True, check=True).stdout
    for target in ("up", "down", "test", "check", "bench", "lock", "clean", "help"):
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE)


@pytest.mark.parametrize("unit", ["skerry-server", "skerry-runner"])
def test_the_units_start_programs_that_the_package_installs(unit: str) -> None:
    scripts = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    text = (TOP / "contrib" / "systemd" / f"{unit}.service").read_text(encoding="utf-8")
    started = set(re.findall(r"/opt/skerry/venv/bin/([a-z-]+)", text))
    assert started
    assert started <= set(scripts)


def test_no_option_of_the_runners_unit_takes_newuidmap_its_rights() -> None:
    """systemd sets no_new_privs for a service with User= wherever one of these is on."""
    text = (TOP / "contrib" / "systemd" / "skerry-runner.service").read_text(encoding="utf-8")
    options = re.findall(r"^([A-Za-z]+)=", text, re.MULTILINE)
    harmful = {
        "NoNewPrivileges", "SystemCallFilter", "SystemCallArchitectures", "RestrictAddressFamilies",
        "RestrictNamespaces", "PrivateDevices", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs",
        "ProtectClock", "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID", "DynamicUser",
        "LockPersonality", "CapabilityBoundingSet",
    }  # fmt: skip
    assert not harmful & set(options)


def test_every_package_of_the_locks_is_pinned_by_hash() -> None:
    for lock in ("requirements-build.lock", "requirements.lock", "requirements-dev.lock"):
        for block in re.split(r"^(?=\S)", (TOP / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            assert "==" in block.splitlines()[0], (lock, block)
            assert "--hash=sha256:" in block, (lock, block)


def test_the_architecture_names_packages_and_use_cases_that_exist() -> None:
    text = (TOP / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {name for name in re.findall(r"`((?:app|runner)(?:\.\w+)+)`", text) if name.islower()}
    files = set(re.findall(r"`((?:\w+/)?\w+\.py)`", text.partition("## Use cases")[2].partition("\n## ")[0]))
    assert len(packages) > 10
    assert len(files) > 60
    places = {name: TOP.joinpath(*name.split(".")) for name in packages}
    lost = {name for name, place in places.items() if not place.is_dir() and not place.with_suffix(".py").is_file()}
    assert lost == set()
    assert {name for name in files if not (TOP / "app" / "services" / name).is_file()} == set()
