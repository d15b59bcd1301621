"""Secrets open only with the right key and in the right place; tokens and passwords are never stored."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import crypto

BOX = crypto.SecretBox([b"k" * 32])


@given(st.text(), st.text(max_size=20))
def test_what_is_sealed_opens_to_the_same_text(text, context):
    assert BOX.open(BOX.seal(text, context), context) == text


def test_a_secret_moved_to_another_row_does_not_open():
    with pytest.raises(crypto.KeyMissing):
        BOX.open(BOX.seal("secret", "ci_variable:1:0:A"), "ci_variable:2:0:A")


def test_a_secret_is_not_visible_in_its_sealed_form_and_never_looks_the_same():
    one, two = BOX.seal("secret", "x"), BOX.seal("secret", "x")
    assert one != two
    assert "secret" not in one


def test_a_rotated_key_still_opens_what_the_old_one_sealed():
    sealed = BOX.seal("secret", "x")
    rotated = crypto.SecretBox([b"n" * 32, b"k" * 32])
    assert rotated.open(sealed, "x") == "secret"
    with pytest.raises(crypto.KeyMissing):
        BOX.open(rotated.seal("secret", "x"), "x")


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "secret.key"
    assert crypto.create_key_file(path)
    key = path.read_text()
    assert not crypto.create_key_file(path)
    assert path.read_text() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    crypto.load_box("", path)


@pytest.mark.parametrize("content", ["", "not base64!", "c2hvcnQ="])
def test_a_damaged_key_is_refused_and_not_replaced(tmp_path, content):
    path = tmp_path / "secret.key"
    path.write_text(content)
    with pytest.raises(crypto.KeyMissing):
        crypto.load_box("", path)


def test_a_password_is_known_again_and_no_other_is():
    stored = crypto.hash_password("right")
    assert crypto.check_password(stored, "right")
    assert not crypto.check_password(stored, "wrong")
    assert not crypto.check_password(None, "right")
    assert "right" not in stored


def test_tokens_are_long_enough_and_differ():
    tokens = {crypto.new_token("glpat-") for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) >= len("glpat-") + 22 for token in tokens)  # 22 characters of base64 are 128 bits
