"""Secrets at rest, token hashes, passwords.

The key that encrypts secrets is made by `skerry init` in `secret.key` of the data folder (mode 0600) or comes from
SKERRY_SECRET_KEY.
Without it the encrypted values (CI variables, mirror passwords, trigger tokens) are lost for good: back it up apart
from the database.
"""

import base64
import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
_passwords = PasswordHasher()


class KeyMissing(Exception):
    """The key of the secrets at rest is not there, or is not the one that they were encrypted with."""


class SecretBox:
    """Encrypts with the first key of `keys`, decrypts with any: so a key can be rotated.

    Every value is bound to a `context` (such as "variable:12"): copied to another row, it does not open.
    """

    def __init__(self, keys: list[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise KeyMissing("the key of secrets must be 32 bytes in base64; `skerry init` makes one")
        self._keys = keys
        # Made once: to derive a key takes longer than to open a hundred secrets with it.
        self._ciphers = [AESGCM(self._derive(key, b"secrets")) for key in keys]

    def seal(self, text: str, context: str) -> str:
        """`text` encrypted, as printable text."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, text.encode(), context.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, context: str) -> str:
        """What `seal` was given. Raises KeyMissing when no key opens it."""
        data = base64.b64decode(sealed)
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], context.encode()).decode()
            except InvalidTag:
                continue
        raise KeyMissing(f"{context}: none of the keys opens this secret; was secret.key replaced?")

    def derive(self, purpose: str) -> bytes:
        """A key for another purpose (signing sessions), which says nothing about the key of secrets."""
        return self._derive(self._keys[0], purpose.encode())

    @staticmethod
    def _derive(key: bytes, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"skerry:" + purpose).derive(key)


def create_key_file(path: Path) -> bool:
    """Write a new key to `path` with mode 0600. False when one is there already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
    return True


def load_box(configured: str, path: Path) -> SecretBox:
    """The box of the configured keys (base64, newest first, separated by white space), else of the key file."""
    text = configured
    if not text:
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            raise KeyMissing(
                f"{path} is missing: run `skerry init`, or put the key file back from its backup"
            ) from None
    try:
        return SecretBox([base64.b64decode(part, validate=True) for part in text.split()])
    except ValueError as error:
        raise KeyMissing(f"the key of secrets is not base64: {error}") from error


def new_token(prefix: str) -> str:
    """A random token of 160 bits behind GitLab's `prefix` (glpat-, glrt-, glcbt-, glptt-)."""
    return prefix + secrets.token_urlsafe(20)


def token_hash(token: str) -> str:
    """What is stored of a token. Tokens are random, so a plain hash is enough (peers.md 3c)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def hash_password(password: str) -> str:
    return _passwords.hash(password)


def check_password(stored: str | None, password: str) -> bool:
    """True when `password` is the stored one. Takes as long for a user without a password."""
    try:
        return _passwords.verify(stored or _nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """A hash that no password opens, so that an unknown user costs as much time as a known one."""
    return _passwords.hash(secrets.token_hex())
