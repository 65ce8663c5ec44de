"""Demo data of Finance: the books of a new installation and round exchange rates."""

from __future__ import annotations

from datetime import date

from erp.actor import Actor
from finance.services.books import set_up_books
from finance.services.rates import save_rates

DEMO_RATES = {"EUR": "390", "GBP": "460", "USD": "350"}
"""Round figures for demonstrations, not the central bank's."""

_FROM = date(2000, 1, 1)


def load_demo(actor: Actor) -> dict[str, int]:
    """Set up the books and enter exchange rates for demonstrations; idempotent."""
    made = set_up_books(actor)
    rows = [{"currency": c, "rate_on": _FROM, "rate": r, "source": "demo"} for c, r in DEMO_RATES.items()]
    return {**made, "exchange_rates": save_rates(rows)}
