"""The monitor without a clean-up command."""

import subprocess
from pathlib import Path

from runner.executor.podman_conmon import write_wrapper


def _monitor(folder: Path, text: str) -> Path:
    program = folder / "a monitor's"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o700)
    return program


def test_all_arguments_pass_in_order_but_the_clean_up_command_of_a_container_alone(
    tmp_path: Path,
) -> None:
    wrapper = write_wrapper(tmp_path, str(_monitor(tmp_path, "for word; do printf '<%s>' \"$word\"; done")))
    assert wrapper is not None
    cleanup = ["--exit-command", "/usr/bin/podman", "--exit-command-arg", "--root", "--exit-command-arg", "$(id) *"]
    before, behind = ["-c", "a b", "", "it's", "*", "$HOME"], ["--runtime-arg", "--log-level", "--"]
    for name, wanted in (("skerry-7-0abc-alone", []), ("skerry-7-0abc", cleanup), ("skerry-7-service-0abc", cleanup)):
        words = [*before, "-n", name, *cleanup, *behind]
        done = subprocess.run([wrapper, *words], capture_output=True, text=True, check=True)
        assert done.stdout == "".join(f"<{word}>" for word in (*before, "-n", name, *wanted, *behind)), name


def test_a_monitor_that_does_not_work_is_left_to_podman(tmp_path: Path) -> None:
    for path in ("", "conmon", str(tmp_path / "nowhere"), str(_monitor(tmp_path, "exit 3"))):
        assert write_wrapper(tmp_path, path) is None
