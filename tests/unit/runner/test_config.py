"""config.toml: what it means, what is refused, what is kept when it changes."""

import pytest

from runner import config_file
from runner.config import Config, default_path, load, parse
from runner.durations import parse_duration
from runner.toml_reader import ConfigError

RUNNER = {"url": "https://ci.example.org/", "token": "glrt-abcdefghijkl"}


def parsed(tmp_path, **document):
    return parse(document, tmp_path / "config.toml")


def test_defaults(tmp_path):
    config, warnings = parsed(tmp_path, runners=[RUNNER])
    assert warnings == []
    assert isinstance(config, Config)
    assert (config.concurrent, config.check_interval, config.shutdown_timeout) == (1, 3.0, 30.0)
    runner = config.runners[0]
    assert (runner.executor, runner.url, runner.limit, runner.output_limit) == (
        "podman",
        "https://ci.example.org",
        0,
        262144,
    )
    assert runner.podman.pull_policy == ("if-not-present",)


def test_every_setting_is_read(tmp_path):
    podman = {
        "image": "alpine",
        "host": "unix:///run/podman.sock",
        "pull_policy": ["always", "never"],
        "allowed_pull_policies": "always",
        "allowed_images": ["registry/*"],
        "allowed_services": ["postgres:*"],
        "memory": "512m",
        "cpus": "1.5",
        "pids_limit": 100,
        "shm_size": "64m",
        "network_mode": "none",
        "extra_hosts": ["db:10.0.0.1"],
        "wait_for_services_timeout": 5,
        "pull_timeout": "10m",
    }
    runner = {
        **RUNNER,
        "name": "one",
        "id": 3,
        "executor": "podman",
        "builds_dir": "/b/",
        "cache_dir": "/c",
        "cache_max_size": "1g",
        "cache_max_age": "24h",
        "clone_url": "http://inside/",
        "tls-ca-file": "/ca.pem",
        "limit": 2,
        "request_concurrency": 3,
        "output_limit": 10,
        "environment": ["A=1", "B=x=y"],
        "unhealthy_requests_limit": 5,
        "unhealthy_interval": "1h30m",
        "podman": podman,
    }
    config, warnings = parsed(
        tmp_path,
        data_dir="work",
        concurrent=4,
        check_interval=1,
        log_level="debug",
        log_format="json",
        shutdown_timeout="2m",
        final_update_timeout=60,
        runners=[runner],
    )
    assert warnings == []
    assert (config.data_dir, config.concurrent, config.shutdown_timeout) == (tmp_path / "work", 4, 120.0)
    found = config.runners[0]
    assert found.environment == (("A", "1"), ("B", "x=y"))
    assert (found.builds_dir, found.unhealthy_interval, found.clone_url) == ("/b", 5400.0, "http://inside")
    assert (found.podman.cpus, found.podman.allowed_pull_policies, found.podman.pull_timeout) == (1.5, ("always",), 600)


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"concurrent": 0}, "concurrent"),
        ({"concurrent": True}, "concurrent"),
        ({"concurrent": "4"}, "concurrent"),
        ({"check_interval": "soon"}, "check_interval"),
        ({"shutdown_timeout": -1}, "shutdown_timeout"),
        ({"log_level": "loud"}, "log_level"),
        ({"runners": {}}, "runners"),
        ({"runners": [{"url": "https://x"}]}, "runners[0].token"),
        ({"runners": [{"token": "x"}]}, "runners[0].url"),
        ({"runners": [{**RUNNER, "url": "ftp://x"}]}, "runners[0].url"),
        ({"runners": [{**RUNNER, "url": "https://me:pw@x"}]}, "runners[0].url"),
        ({"runners": [{**RUNNER, "token": "two words"}]}, "runners[0].token"),
        ({"runners": [RUNNER, {**RUNNER, "limit": -1}]}, "runners[1].limit"),
        ({"runners": [{**RUNNER, "executor": "docker"}]}, "runners[0].executor"),
        ({"runners": [{**RUNNER, "builds_dir": "builds"}]}, "runners[0].builds_dir"),
        ({"runners": [{**RUNNER, "environment": ["A B=1"]}]}, "runners[0].environment"),
        ({"runners": [{**RUNNER, "environment": "A=1"}]}, "runners[0].environment"),
        ({"runners": [{**RUNNER, "podman": []}]}, "runners[0].podman"),
        ({"runners": [{**RUNNER, "podman": {"memory": "much"}}]}, "runners[0].podman.memory"),
        ({"runners": [{**RUNNER, "podman": {"cpus": "two"}}]}, "runners[0].podman.cpus"),
        ({"runners": [{**RUNNER, "podman": {"pull_policy": "sometimes"}}]}, "runners[0].podman.pull_policy"),
        ({"runners": [{**RUNNER, "podman": {"network_mode": "host"}}]}, "runners[0].podman.network_mode"),
        ({"runners": [{**RUNNER, "podman": {"host": "tcp://x"}}]}, "runners[0].podman.host"),
    ],
)
def test_nonsense_is_refused_with_file_and_key(tmp_path, document, key):
    with pytest.raises(ConfigError) as caught:
        parsed(tmp_path, **document)
    assert str(caught.value).startswith(f"{tmp_path}/config.toml: {key}: ")


def test_unknown_keys_and_doubles_are_warned_of(tmp_path):
    runner = {**RUNNER, "name": "x", "shell": "bash", "docker": {}, "podman": {"privileged": True}}
    _, warnings = parsed(tmp_path, session_server={}, runners=[runner, runner])
    text = "\n".join(warnings)
    for key in ("session_server", "runners[0].docker", "runners[1].podman.privileged", "same url and token"):
        assert key in text
    assert "shell" not in text


def test_a_token_is_not_shown(tmp_path):
    config, _ = parsed(tmp_path, runners=[RUNNER])
    assert RUNNER["token"] not in repr(config)


def test_a_missing_and_a_broken_file_are_named(tmp_path):
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigError, match="there is no such file"):
        load(path)
    path.write_bytes(b"\xff = 1")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(path)


def test_changes_keep_comments_order_and_privacy(tmp_path):
    path = tmp_path / "sub" / "config.toml"
    path.parent.mkdir()
    path.write_text('# top\nconcurrent = 2 # two\n\n[[runners]]\n# first\nname = "a"\nurl = "https://a"\ntoken = "x"\n')
    path.chmod(0o644)
    config_file.add_runner(path, {"name": "b", "url": "https://b", "token": "y"}, {"image": "alpine"})
    assert path.stat().st_mode & 0o777 == 0o600
    config, _ = load(path)
    assert [(runner.name, runner.podman.image) for runner in config.runners] == [("a", ""), ("b", "alpine")]
    config_file.remove_runner(path, "https://b", "y")
    text = path.read_text()
    assert text.startswith("# top\nconcurrent = 2 # two\n")
    assert '# first\nname = "a"' in text
    assert "alpine" not in text
    config_file.remove_runner(path, "https://a", "x")
    assert load(path)[0].runners == ()
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be"):
        config_file.add_runner(tmp_path / "file" / "config.toml", {"url": "https://a", "token": "x"}, {})


def test_data_lies_beside_a_file_at_an_unusual_place_and_at_the_usual_one_else(tmp_path, monkeypatch):
    assert parsed(tmp_path)[0].data_dir == tmp_path / "work"
    monkeypatch.setattr("runner.config.os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    monkeypatch.delenv("SKERRY_RUNNER_CONFIG", raising=False)
    assert str(parse({}, default_path())[0].data_dir) == "/somewhere/skerry-runner"


def test_the_default_path_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SKERRY_RUNNER_CONFIG", str(tmp_path / "x.toml"))
    assert default_path() == tmp_path / "x.toml"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("1h30m", 5400),
        ("2m 3s", None),
        ("500ms", 0.5),
        ("", None),
        ("-1", None),
        ("1d", None),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


def test_a_store_for_caches_is_read_in_gitlab_runners_words(tmp_path):
    s3 = {
        "ServerAddress": "store.example.org:9000",
        "AccessKey": "AK",
        "SecretKey": "hush",
        "BucketName": "caches",
        "BucketLocation": "eu-1",
        "Insecure": True,
        "AuthenticationType": "access-key",
    }
    cache = {"Type": "s3", "Path": "p", "Shared": True, "s3": s3}
    config, warnings = parsed(tmp_path, runners=[RUNNER | {"cache": cache}])
    found = config.runners[0].cache
    assert warnings == []
    assert (found.type, found.path, found.shared) == ("s3", "p", True)
    assert (found.s3.server_address, found.s3.bucket_name, found.s3.bucket_location) == (
        "store.example.org:9000",
        "caches",
        "eu-1",
    )
    assert (found.s3.insecure, found.s3.path_style) == (True, True)
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("cache", "words"),
    [
        ({"Type": "gcs"}, 'Type: must be one of "", "s3"'),
        ({"Type": "s3"}, "s3.BucketName: is missing"),
        ({"Type": "s3", "s3": {"BucketName": "b", "AccessKey": "a"}}, "only one of them is set"),
        ({"Type": "s3", "s3": {"BucketName": "b", "ServerAddress": "https://x/"}}, "ServerAddress: must be a host"),
        ({"Type": "s3", "s3": {"BucketName": "b", "Insecure": "yes"}}, "Insecure: must be true or false"),
        ({"Type": "s3", "Shared": 1, "s3": {"BucketName": "b"}}, "Shared: must be true or false"),
    ],
)
def test_a_store_for_caches_that_makes_no_sense_is_refused(tmp_path, cache, words):
    with pytest.raises(ConfigError, match=words):
        parsed(tmp_path, runners=[RUNNER | {"cache": cache}])
