"""Signatures between shop and provider: HMAC-SHA256 over time and body, so that neither can be changed or kept back."""

from __future__ import annotations

import hashlib
import hmac
import time

HEADER = "X-Card-Signature"
TOLERANCE_S = 300


class BadSignature(Exception):
    """The message is not signed with our secret, or it is not of these minutes."""


def sign(secret: str, body: bytes, at: int | None = None) -> str:
    """Value of the signature's header: ``t=<unix time>,v1=<hex>``."""
    moment = int(time.time()) if at is None else at
    return f"t={moment},v1={_digest(secret, moment, body)}"


def verify(secret: str, body: bytes, header: str, *, now: float | None = None) -> None:
    """Raise BadSignature unless ``header`` signs ``body`` and is at most five minutes away from now."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    moment, given = parts.get("t", ""), parts.get("v1", "")
    if not secret or not moment.isdecimal() or len(moment) > 12:
        raise BadSignature("there is no signature")
    if not hmac.compare_digest(_digest(secret, int(moment), body).encode(), given.encode()):
        raise BadSignature("the signature does not fit")
    if abs((time.time() if now is None else now) - int(moment)) > TOLERANCE_S:
        raise BadSignature("the message is too old")


def _digest(secret: str, moment: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
