"""Registering a customer: from the shop, from an integrator, from a replayed history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin_app.serializers import CustomerSerializer
from erp import idempotency
from erp.actor import Actor
from erp.db import retrying
from erp.models import OwnedModel

_TIMES = frozenset({"created_at", "updated_at", "retired_at", "note"})


def as_plain_data(row: OwnedModel) -> dict[str, Any]:
    """A master row as plain data: its columns without times and internal notes, and ``is_retired``."""
    columns = {f.name: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name not in _TIMES}
    return {**columns, "is_retired": row.retired_at is not None}


def register_customer(data: Mapping[str, Any], actor: Actor, idempotency_key: str | None = None) -> dict[str, Any]:
    """Create a customer; with a key a repeat gives the first answer and creates nothing.

    Raises:
        rest_framework.serializers.ValidationError: some values are not valid, e.g. the e-mail is taken.
        ReaderUnavailable: a reader did not confirm; nothing has changed.
    """

    def run() -> dict[str, Any]:
        serializer = CustomerSerializer(data=dict(data))
        serializer.is_valid(raise_exception=True)
        return as_plain_data(serializer.save(actor=actor))

    if idempotency_key is None:
        return retrying("admin_app", run)
    answer: dict[str, Any] = idempotency.once(
        "admin_app", idempotency_key, "register_customer", idempotency.hash_request(dict(data)), run
    )[0]
    return answer
