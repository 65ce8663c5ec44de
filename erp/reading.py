"""Models read by prepared statements: what every order reads would be compiled and planned anew by the ORM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from django.db import models

from erp.db import fetch_prepared
from erp.ownership import alias_of

M = TypeVar("M", bound=models.Model)


class Columns(Generic[M]):
    """Columns of one model in a statement: ``sql`` for its select list, :meth:`all_of` for what it found."""

    def __init__(self, model: type[M], alias: str, *names: str) -> None:
        """``names``: attributes to read (JSON cannot be); the others are read when they are asked for. Default: all."""
        fields = [f for f in model._meta.concrete_fields if not names or f.attname in names]
        self.sql = ", ".join(f"{alias}.{field.column}" for field in fields)
        self.width = len(fields)
        self._made, self._module = model.from_db, model._meta.app_label
        self._alias = alias_of(self._module)
        self._names = [field.attname for field in fields]
        self._key = next(n for n, field in enumerate(fields) if field.primary_key)

    def all_of(self, rows: Iterable[Sequence[Any]], at: int = 0) -> list[M]:
        """The instances whose columns stand from ``at`` on; rows in which an outer join found none are passed over."""
        end, key = at + self.width, at + self._key
        return [self._made(self._alias, self._names, row[at:end]) for row in rows if row[key] is not None]

    def fetch(self, statement: str, arguments: Sequence[Any]) -> list[M]:
        """The instances that a statement finds whose select list is ``sql``; parameters are bound by the server."""
        return self.all_of(fetch_prepared(self._module, statement, arguments))
