"""Exchange rates: base currency for one unit of a document's currency, with its day and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import module_transaction
from finance.errors import NoExchangeRate
from finance.models import ExchangeRate
from finance.services.accounts import base_currency


@dataclass(frozen=True)
class Rate:
    """The rate a document was booked at."""

    rate: Decimal
    rate_on: date
    source: str


def rate_for(currency: str, on_date: date) -> Rate:
    """The latest rate on or before a day; 1 for the base currency. Raises NoExchangeRate."""
    if currency == base_currency():
        return Rate(Decimal(1), on_date, "base")
    found = ExchangeRate.objects.filter(currency=currency, rate_on__lte=on_date).order_by("-rate_on").first()
    if found is None:
        raise NoExchangeRate(
            f"There is no exchange rate of {currency} on or before {on_date}: enter one under exchange rates",
            currency=currency,
        )
    return Rate(found.rate, found.rate_on, found.source)


def save_rates(rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter rates ``{currency, rate_on, rate, source}``; a rate that a day already has is replaced."""
    rates = [
        ExchangeRate(
            currency=r["currency"], rate_on=r["rate_on"], rate=Decimal(r["rate"]), source=r.get("source", "manual")
        )
        for r in rows
    ]
    with module_transaction("finance"):
        ExchangeRate.objects.bulk_create(
            rates, update_conflicts=True, unique_fields=["currency", "rate_on"], update_fields=["rate", "source"]
        )
    return len(rates)
