"""What the user sees. Plain lines on standard output, no terminal assumed."""

import os
import sys


class SetupError(Exception):
    """Set-up cannot go on. The message says in one sentence what is wrong, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (self.args[0], self.hint) if part)


def line(text: str = "") -> None:
    """One line. When nobody reads any more (a closed pipe, a terminal that is gone) the work goes on in silence."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def step(text: str) -> None:
    """A thing that begins now and may take a while."""
    line(f"==> {text}")


def note(text: str) -> None:
    """A detail of the step before it."""
    line(f"    {text}")


def last_line(text: str) -> str:
    """The last line of a program's output that says anything; empty if none does."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `12 s`, `2 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
