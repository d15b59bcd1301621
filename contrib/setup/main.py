"""Entry point of the set-up: `python3 -I contrib/setup/main.py COMMAND`. The Makefile calls it through bootstrap.sh."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # as root it would leave files in the checkout that its owner cannot remove
sys.path.insert(0, str(Path(__file__).resolve().parent))

from skerry_setup.commands import main  # noqa: E402 - the path above makes it importable

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
