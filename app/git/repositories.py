"""The repositories on this host, one bare folder each."""

from pathlib import Path


class Repositories:
    """All hosted and mirrored repositories below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
