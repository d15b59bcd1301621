"""What config.toml says reaches the executor and the workspaces."""

from pathlib import Path

from runner.config import Config, parse
from runner.executor.fake import FakeExecutor
from runner.places import _podman_settings, make_executor, make_workspaces
from runner.workspace.eviction import CacheLimits

RUNNER = {"url": "https://ci.example.org", "token": "glrt-abcdefghijkl", "executor": "fake"}


def configured(tmp_path: Path, **runner: object) -> Config:
    return parse({"data_dir": str(tmp_path / "data"), "runners": [RUNNER | runner]}, tmp_path / "config.toml")[0]


def test_workspaces_lie_below_the_data_folder_and_caches_have_their_limits(tmp_path: Path) -> None:
    config = configured(tmp_path, cache_max_size="1g", cache_max_age="24h")
    workspaces = make_workspaces(config, config.runners[0], make_executor(config, config.runners[0]))
    assert workspaces.root == tmp_path / "data" / "builds" / "abcdefghi"
    assert workspaces.cache_root == tmp_path / "data" / "cache" / "abcdefghi"
    assert workspaces.cache_limits == CacheLimits(1 << 30, 24 * 3600.0)
    workspaces.close()


def test_caches_may_lie_elsewhere(tmp_path: Path) -> None:
    config = configured(tmp_path, cache_dir=str(tmp_path / "elsewhere"))
    workspaces = make_workspaces(config, config.runners[0], FakeExecutor())
    assert workspaces.cache_root == tmp_path / "elsewhere"
    workspaces.close()


def test_podmans_settings_are_those_of_the_table_and_its_defaults(tmp_path: Path) -> None:
    podman = {"memory": "512m", "shm_size": "64m", "network_mode": "private", "host": "unix:///run/podman.sock"}
    config = configured(tmp_path, podman=podman)
    settings = _podman_settings(config, config.runners[0])
    assert (settings.memory, settings.shm_size, settings.network) == (512 << 20, 64 << 20, "private")
    assert settings.socket == Path("/run/podman.sock")
    assert settings.image == "localhost/skerry/base"
    assert settings.private_images == tmp_path / "data" / "private-images.json"
    config = configured(tmp_path, podman={"image": "mine"})
    assert _podman_settings(config, config.runners[0]).image == "mine"
