"""What exit codes of a shell mean, where they mean anything in themselves (POSIX, and 128 + the number of a signal)."""

_MEANINGS = {
    124: "a command ran into its time limit",
    126: "a command was found but could not be run",
    127: "a command was not found",
    130: "it was interrupted",
    132: "it crashed on an illegal instruction",
    134: "it aborted",
    136: "it crashed on an arithmetic error",
    137: "it was killed, as happens when memory runs out",
    139: "it crashed on a memory error",
    141: "it wrote to a pipe that nobody reads",
    143: "it was told to end",
}


def meaning(code: int) -> str | None:
    """In words, without a full stop; None for codes that programs choose themselves."""
    return _MEANINGS.get(code)
