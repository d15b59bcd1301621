"""The key that signs id tokens: made when it is first needed, kept sealed among the settings."""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import select

from app.models import Setting, write
from app.services.core import Core

ALGORITHM = "RS256"
SETTING = "id_token_key_sealed"
_BITS = 2048
_EXPONENT = 65537


def load_key(core: Core) -> rsa.RSAPrivateKey:
    """The installation's key. Raises KeyMissing where the box of secrets cannot open it.

    Opens a write of its own when there is none yet, so it may not be called inside one then: `ensure_key` before.
    """
    sealed = core.session.scalar(select(Setting.value).where(Setting.name == SETTING))
    return _parse(core.box.open(sealed if sealed is not None else _make(core), SETTING))


def ensure_key(core: Core) -> None:
    """Make the key where there is none yet."""
    if core.session.scalar(select(Setting.name).where(Setting.name == SETTING)) is None:
        _make(core)


def sign(key: rsa.RSAPrivateKey, claims: dict[str, Any]) -> str:
    """`claims` as a signed token (RFC 7519, RFC 7515, compact form)."""
    header = {"alg": ALGORITHM, "kid": key_id(key), "typ": "JWT"}
    body = f"{_encode(_json(header))}.{_encode(_json(claims))}"
    signature = key.sign(body.encode("ascii"), padding.PKCS1v15(), hashes.SHA256())
    return f"{body}.{_encode(signature)}"


def public_key(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The public half as others check signatures with it (RFC 7517)."""
    return {"kty": "RSA", "kid": key_id(key), "use": "sig", "alg": ALGORITHM, **_numbers(key)}


def key_id(key: rsa.RSAPrivateKey) -> str:
    """The thumbprint of the public half (RFC 7638), which names the key."""
    canonical = json.dumps({"kty": "RSA", **_numbers(key)}, sort_keys=True, separators=(",", ":"))
    return _encode(hashlib.sha256(canonical.encode()).digest())


def _make(core: Core) -> str:
    """A new key, sealed; the one that another process made meanwhile, where there is one."""
    key = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_BITS)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
    with write(core.session):
        known = core.session.get(Setting, SETTING)
        if known is None:
            known = Setting(name=SETTING, value=core.box.seal(text, SETTING))
            core.session.add(known)
        return known.value


@lru_cache(maxsize=4)
def _parse(text: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(text.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the key of id tokens is not an RSA key")
    return key


def _numbers(key: rsa.RSAPrivateKey) -> dict[str, str]:
    public = key.public_key().public_numbers()
    return {"e": _encode(_bytes(public.e)), "n": _encode(_bytes(public.n))}


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
