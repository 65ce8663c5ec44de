"""A confirmed order kept as plain data until its payment is authorised, and read back letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_type_hints

from storefront.serializers import NewOrder, OrderLine

_READ: dict[Any, Callable[[Any], Any]] = {Decimal: Decimal, datetime: datetime.fromisoformat, date: date.fromisoformat}


def as_data(order: NewOrder) -> dict[str, Any]:
    """The order as JSON can keep it."""
    return asdict(order)


def order_from(data: dict[str, Any]) -> NewOrder:
    """The order that :func:`as_data` gave."""
    lines = tuple(OrderLine(**_typed(OrderLine, line)) for line in data["lines"])
    return NewOrder(**{**_typed(NewOrder, data), "lines": lines})


def _typed(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: _READ.get(hints[name], _same)(value) for name, value in data.items()}


def _same(value: Any) -> Any:
    return value
