"""May another user get there?"""

from pathlib import Path

import pytest
from skerry_setup.reach import is_reachable, is_readable_tree


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose parents count as open, whatever the machine's temporary folder is like."""
    monkeypatch.setattr(
        "skerry_setup.reach._mode", lambda path: path.stat().st_mode if tmp_path in path.parents else 0o755
    )
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a").chmod(0o755)
    inner.chmod(0o755)
    return inner


def test_a_closed_folder_anywhere_above_is_in_the_way(folder: Path) -> None:
    assert is_reachable(folder / "file")
    folder.parent.chmod(0o750)
    assert not is_reachable(folder / "file")


def test_a_link_counts_for_the_place_it_leads_to(folder: Path) -> None:
    closed = folder.parent / "closed"
    closed.mkdir()
    closed.chmod(0o700)
    link = folder / "link"
    link.symlink_to(closed / "x")
    assert not is_reachable(link)


def test_one_private_file_makes_a_tree_unreadable(folder: Path) -> None:
    (folder / "app").mkdir()
    secret = folder / "app" / "file.py"
    secret.write_text("")
    secret.chmod(0o644)
    (folder / "app").chmod(0o755)
    assert is_readable_tree(folder, ("app", "missing"))
    secret.chmod(0o600)
    assert not is_readable_tree(folder, ("app",))
    assert is_readable_tree(folder, ("missing",))
