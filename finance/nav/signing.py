"""Password hash, request signature, index hashes and exchange token, as the interface demands them.

Every text is UTF-8, every hash upper-case hex. The signature is SHA3 (FIPS 202), not Keccak.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK_BITS = 128


class TokenUndecipherable(Exception):
    """The exchange token does not open with the exchange key of this technical user."""


def password_hash(password: str) -> str:
    """Return the SHA-512 of a technical user's password."""
    return hashlib.sha512(password.encode()).hexdigest().upper()


def index_hash(operation: str, base64_text: str) -> str:
    """Return the SHA3-512 of one item of a batch.

    `operation` is CREATE, MODIFY, STORNO or ANNUL; `base64_text` the item exactly as it is sent.
    """
    return sha3_512(operation + base64_text)


def request_signature(request_id: str, timestamp: datetime, sign_key: str, index_hashes: Iterable[str] = ()) -> str:
    """Return the signature of a request.

    `timestamp` is that of the request's header; `index_hashes` those of its items in index
    order, for manageInvoice and manageAnnulment only.
    """
    return sha3_512(request_id + signature_time(timestamp) + sign_key + "".join(index_hashes))


def signature_time(timestamp: datetime) -> str:
    """Return `YYYYMMDDhhmmss` in UTC; the signature drops separators and milliseconds."""
    return timestamp.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def sha3_512(text: str) -> str:
    """Return the SHA3-512 of a text."""
    return hashlib.sha3_512(text.encode()).hexdigest().upper()


def decrypt_token(encoded_token: str, exchange_key: str) -> str:
    """Return the exchange token in plain text.

    `encoded_token` is the base64 text of the tokenExchange answer, `exchange_key` the technical
    user's 16 characters. Raises `TokenUndecipherable`.
    """
    try:
        cipher = _cipher(exchange_key).decryptor()
        padded = cipher.update(base64.b64decode(encoded_token, validate=True)) + cipher.finalize()
        remover = padding.PKCS7(_BLOCK_BITS).unpadder()
        return (remover.update(padded) + remover.finalize()).decode("ascii")
    except (ValueError, binascii.Error) as error:
        # The cause stays out: it could carry bytes of the key or the token.
        raise TokenUndecipherable(type(error).__name__) from None


def encrypt_token(token: str, exchange_key: str) -> str:
    """Return a token as tokenExchange answers it; what the NAV's side does."""
    adder = padding.PKCS7(_BLOCK_BITS).padder()
    padded = adder.update(token.encode("ascii")) + adder.finalize()
    cipher = _cipher(exchange_key).encryptor()
    return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode("ascii")


def _cipher(exchange_key: str) -> Cipher[modes.ECB]:
    key = exchange_key.encode("ascii")
    # ECB is what the interface prescribes for its one-block-sized, single-use token.
    return Cipher(algorithms.AES128(key), modes.ECB())  # noqa: S305
