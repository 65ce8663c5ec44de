"""How Logistics runs its own SQL: prepared once per connection, a busy row told as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from erp.db import fetch_prepared_dicts
from erp.publishing import reader_errors


def among(keys: Sequence[int], name: str = "") -> tuple[str, int | list[int]]:
    """SQL and its argument, positional or called ``name``, for "is one of ``keys``"; a single one is asked for by =.

    PostgreSQL keeps no plan for an array of unknown length: with ``any`` a long statement is planned at every call.
    """
    place = f"%({name})s" if name else "%s"
    return (f"= {place}::bigint", keys[0]) if len(keys) == 1 else (f"= any ({place}::bigint[])", list(keys))


def run_sql(
    statement: str, arguments: Sequence[Any] | Mapping[str, Any], *, entity: str = "stock"
) -> list[dict[str, Any]]:
    """Run a statement in the open transaction; returns its rows by column name.

    Parameters are bound by the server: the statement casts those whose type does not follow, and jsonb comes back
    parsed, so exact figures are to be cast to text. Raises OwnerBusy after ``lock_timeout``.
    """
    with reader_errors(entity):
        return fetch_prepared_dicts("logistics", statement, arguments)
