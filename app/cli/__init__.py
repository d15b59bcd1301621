"""`skerry`: the server's command line.

Every command prints what it made, tokens alone on standard output, and says what is wrong in one sentence on standard
error.
"""

from app.cli.commands import cli, main

__all__ = ["cli", "main"]
