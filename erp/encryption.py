"""Encryption of what must be stored and read back (secrets of other systems), with keys kept elsewhere."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class CannotDecrypt(Exception):
    """The content was encrypted with another key, or has been altered."""


def encrypt(content: bytes, secret: str, purpose: str) -> bytes:
    """Encrypt and authenticate ``content``; a key for one purpose opens nothing of another."""
    return _box(secret, purpose).encrypt(content)


def decrypt(sealed: bytes, secret: str, purpose: str) -> bytes:
    """Return what :func:`encrypt` was given. Raises CannotDecrypt."""
    try:
        return _box(secret, purpose).decrypt(sealed)
    except InvalidToken as error:
        raise CannotDecrypt(purpose) from error


def _box(secret: str, purpose: str) -> Fernet:
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
