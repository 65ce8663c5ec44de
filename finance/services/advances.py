"""Advance invoices: what is left of them, and the lines of a final invoice that take them off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.money import round_money, vat_of
from finance.errors import AdvanceExceeded
from finance.serializers.invoices import lock_settlements
from finance.services.accounts import base_currency
from finance.services.documents import Line

# What an advance invoice was over, with its corrections, less credit notes of it and deductions from it, per VAT code.
_LEFT = """
select a.id as invoice_id, a.number, a.issued_on, a.currency, a.customer_id, x.vat_code, x.vat_rate,
  sum(x.net) as net, sum(x.vat) as vat, sum(x.base_net) as base_net, sum(x.base_vat) as base_vat
from invoice a cross join lateral (
  select l.vat_code, l.vat_rate, l.net, l.vat, l.base_net, l.base_vat from invoice_line l where l.invoice_id = a.id
  union all
  select l.vat_code, l.vat_rate, l.net, l.vat, l.base_net, l.base_vat from invoice_line l
  join invoice c on c.id = l.invoice_id where c.original_id = a.id and l.advance_invoice_id is null
  union all
  select l.vat_code, l.vat_rate, l.net, l.vat, l.base_net, l.base_vat from invoice_line l
  join invoice i on i.id = l.invoice_id where l.advance_invoice_id = a.id and i.state = 'issued'
) x
where a.kind = 'advance' and a.state = 'issued'
  and (a.id = any(%(ids)s::bigint[]) or (a.customer_id = %(customer)s and a.currency = %(currency)s))
group by a.id, x.vat_code, x.vat_rate having sum(x.net) > 0
order by a.issued_on, a.id, x.vat_code"""


@dataclass
class Advance:
    """What is left of an advance invoice under one VAT code."""

    invoice_id: int
    number: str
    issued_on: date
    currency: str
    customer_id: int
    vat_code: str
    vat_rate: Decimal
    net: Decimal
    vat: Decimal
    base_net: Decimal
    base_vat: Decimal

    def amount(self, price_mode: str) -> Decimal:
        """As a price: net or gross."""
        return self.net + self.vat if price_mode == "gross" else self.net


def open_advances(customer_id: int, currency: str) -> list[Advance]:
    """Advance invoices of a customer of which something is left, oldest first."""
    return _left(customer=customer_id, currency=currency)


def _left(*, ids: Sequence[int] = (), customer: int | None = None, currency: str = "") -> list[Advance]:
    with cursor("finance") as cur:
        cur.execute(_LEFT, {"ids": list(ids), "customer": customer, "currency": currency})
        return [Advance(**row) for row in rows_as_dicts(cur)]


def take_off(lines: Sequence[Line], customer_id: int, currency: str, price_mode: str) -> list[Line]:
    """Price the lines that deduct an advance: with its own VAT and its amounts in base currency.

    Args:
        lines: with ``advance_invoice_id`` and a negative price; the VAT code says which part of the advance.

    Raises:
        AdvanceExceeded: the advance is not the customer's, is in another currency, or less is left of it.
    """
    if not lines:
        return []
    ids = sorted({line.advance_invoice_id or 0 for line in lines})
    lock_settlements(ids)
    left = {(a.invoice_id, a.vat_code): a for a in _left(ids=ids)}
    return [_take(line, left, customer_id, currency, price_mode) for line in lines]


def _take(
    line: Line, left: Mapping[tuple[int, str], Advance], customer_id: int, currency: str, price_mode: str
) -> Line:
    advance = left.get((line.advance_invoice_id or 0, line.vat_code))
    if advance is None or (advance.customer_id, advance.currency) != (customer_id, currency):
        raise AdvanceExceeded(
            f"{line.name}: nothing is left of such an advance invoice of this customer in {currency} "
            f"under VAT code {line.vat_code}"
        )
    amount = -round_money(line.quantity * line.unit_price, currency)
    whole = advance.amount(price_mode)
    if not 0 < amount <= whole:
        raise AdvanceExceeded(f"{line.name}: {whole} {currency} of {advance.number} can be taken off, not {amount}")
    part = _part_of(advance, amount, currency, price_mode)
    for name, value in part.items():
        setattr(advance, name, getattr(advance, name) - value)
    off = {name: -value for name, value in part.items()}
    return replace(
        line, **off, gross=off["net"] + off["vat"], vat_rate=advance.vat_rate, product_class="advance",
        discount=Decimal(0), discount_percent=Decimal(0),
    )  # fmt: skip


def _part_of(advance: Advance, amount: Decimal, currency: str, price_mode: str) -> dict[str, Any]:
    """All that is left, to the last unit, or a part at its share."""
    whole = advance.amount(price_mode)
    if amount == whole:
        return {name: getattr(advance, name) for name in ("net", "vat", "base_net", "base_vat")}
    vat = min(vat_of(amount, advance.vat_rate, currency, price_mode), advance.vat)
    net = amount - vat if price_mode == "gross" else amount
    return {
        "net": net,
        "vat": vat,
        "base_net": round_money(advance.base_net * net / advance.net, base_currency()),
        "base_vat": round_money(advance.base_vat * vat / advance.vat, base_currency()) if advance.vat else Decimal(0),
    }
