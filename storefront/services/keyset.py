"""Cursors of keyset pages: opaque text that names the last row of a page by its sort values."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any


def encode_cursor(values: Sequence[Any]) -> str:
    """Opaque text for 'after the row with these sort values'."""
    return base64.urlsafe_b64encode(json.dumps([str(v) for v in values]).encode()).decode().rstrip("=")


def decode_cursor(text: str, kinds: Sequence[str]) -> list[str] | None:
    """Sort values of a cursor; None for anything that is not one of ours for values of these SQL types."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    if not isinstance(values, list) or len(values) != len(kinds):
        return None
    if not all(isinstance(v, str) and _fits(v, kind) for v, kind in zip(values, kinds, strict=True)):
        return None
    return values


def _fits(value: str, kind: str) -> bool:
    if kind == "text":
        return "\x00" not in value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return number.is_finite() and abs(number) < 10**15 and (kind != "bigint" or number == int(number))
