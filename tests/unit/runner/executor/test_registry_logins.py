"""Which login is for which image, and what a docker config says."""

import base64
import json
from pathlib import Path

import pytest

from runner.executor.podman_private import PrivateImages
from runner.executor.registry_logins import Login, login, login_for, parse_auth_config, secrets_in

A = Login("registry.example:5000", "a", "password-a")
B = Login("registry.example:5000/group", "b", "password-b")
HUB = login("https://index.docker.io/v1/", "hub", "password-h")


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("registry.example:5000/x", A),
        ("registry.example:5000/group/x:1", B),
        ("registry.example:5000/groups/x", A),
        ("registry.example:5000/group/x@sha256:00", B),
        ("docker.io/library/alpine", HUB),
        ("registry.example/x", None),
        ("registry.example:50001/x", None),
        ("evil.example/registry.example:5000/x", None),
        ("alpine", None),
        ("registry.example:5000", None),
        ("group/x", None),
    ],
)
def test_a_login_goes_to_the_registry_that_it_names_and_to_no_other(image: str, found: Login | None) -> None:
    assert login_for(image, [A, B, HUB]) == found


def test_of_two_logins_for_one_place_the_first_counts() -> None:
    assert login_for("registry.example:5000/x", [A, Login(A.registry, "later", "x")]) == A


def test_a_docker_config_is_read_in_both_of_its_spellings() -> None:
    pair = base64.b64encode(b"user:pass:word").decode()
    text = json.dumps({
        "auths": {
            "https://one.example/v2/": {"auth": pair},
            "two.example": {"username": "u", "password": "p"},
            "three.example": {},
            "four.example": {"auth": "no base64!"},
            "five.example": None,
        },
        "credHelpers": {"six.example": "secretservice"},
    })  # fmt: skip
    assert parse_auth_config(text) == [Login("one.example", "user", "pass:word"), Login("two.example", "u", "p")]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"auths": []}', "secret-word"])
def test_what_is_no_docker_config_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_auth_config(text)
    assert "secret-word" not in str(caught.value)


def test_no_password_shows() -> None:
    assert "password" not in repr(A).replace("password=", "")
    assert secrets_in([A]) == ["password-a", base64.b64encode(b"a:password-a").decode()]


def test_private_images_are_remembered_and_what_was_proven_is_not(tmp_path: Path) -> None:
    file = tmp_path / "private.json"
    images = PrivateImages(file)
    images.fetched("one", A, False, lambda: ["one"])
    assert images.may_use("one", A)
    assert not images.may_use("one", None)
    assert not images.may_use("one", Login(A.registry, A.username, "other"))
    again = PrivateImages(file)
    assert not again.may_use("one", A)
    assert "password" not in file.read_text()
    again.fetched("two", A, False, lambda: ["two"])
    assert PrivateImages(file).may_use("one", None), "an image that is gone is forgotten"


def test_an_image_that_was_here_for_all_stays_so(tmp_path: Path) -> None:
    images = PrivateImages(None)
    images.fetched("one", A, True, lambda: ["one"])
    images.fetched("two", None, False, lambda: ["two"])
    assert images.may_use("one", None)
    assert images.may_use("two", A)


def test_a_damaged_record_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "private.json").write_text("{")
    assert PrivateImages(tmp_path / "private.json").may_use("one", None)
