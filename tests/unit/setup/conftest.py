"""The set-up is no installed package: it runs before anything is installed. Its folder goes on the path here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "contrib" / "setup"))
