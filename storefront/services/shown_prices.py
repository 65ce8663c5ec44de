"""Prices as shown, in SQL: bounds and order by an indexed base price instead of by a computed gross one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from erp.db import cursor
from erp.money import minor_units

_MICRO = Decimal("0.000001")  # base prices have six decimals


@dataclass(frozen=True)
class CodePrices:
    """Products of one VAT code: their shown price rises with the base price."""

    position: int  # in the order of codes
    code: str
    rate: Decimal | None  # None: net prices are shown as they are
    unit: Decimal  # the smallest coin

    @property
    def shown(self) -> str:
        """SQL of the price as shown, for a product row ``p``."""
        if self.rate is None:
            return "p.base_price"
        return f"round(p.base_price * {100 + self.rate} / 100, {-int(self.unit.as_tuple().exponent)})"

    def _base_from(self, shown: Decimal, rounding: str) -> Decimal:
        """The least base price whose shown price is at least (ceiling) or beyond (floor) the given one."""
        if self.rate is None:
            return shown if rounding == ROUND_CEILING else shown + _MICRO
        step = shown.quantize(self.unit, rounding=rounding) + (self.unit if rounding == ROUND_FLOOR else 0)
        exact = (step - self.unit / 2) * 100 / (100 + self.rate)
        return exact.quantize(_MICRO, rounding=ROUND_CEILING)

    def condition(self, low: Decimal | None, high: Decimal | None) -> tuple[str, list[Any]]:
        """Products of this code between two shown prices, both included."""
        parts, values = ["p.vat_code = %s"], [self.code]
        if low is not None:
            parts.append("p.base_price >= %s")
            values.append(self._base_from(low, ROUND_CEILING))  # type: ignore[arg-type]
        if high is not None:
            parts.append("p.base_price < %s")
            values.append(self._base_from(high, ROUND_FLOOR))  # type: ignore[arg-type]
        return f"({' and '.join(parts)})", list(values)

    def beyond(self, after: Sequence[str], *, descending: bool) -> tuple[str, list[Any]]:
        """Rows of this code that come after the row (shown price, code position, base price, id)."""
        shown, position, base, key = Decimal(after[0]), int(Decimal(after[1])), after[2], after[3]
        sign = "<" if descending else ">"
        if position == self.position:
            return f" and (p.base_price, p.id) {sign} (%s::numeric, %s::bigint)", [base, key]
        is_later = (self.position > position) != descending  # then rows at the same shown price come after it, too
        if descending:
            bound = self._base_from(shown, ROUND_FLOOR if is_later else ROUND_CEILING)
            return " and p.base_price < %s", [bound]
        return " and p.base_price >= %s", [self._base_from(shown, ROUND_CEILING if is_later else ROUND_FLOOR)]


class PriceList:
    """What the shop's prices are made of for one visitor: currency, price mode, and the VAT codes in use."""

    def __init__(self, rates: Mapping[str, Decimal], currency: str, price_mode: str) -> None:
        self.currency = currency
        unit = Decimal(1).scaleb(-minor_units(currency))
        is_gross = price_mode == "gross"
        used = [code for code in _codes_in_use() if code in rates]
        self.codes = [
            CodePrices(n, code, rates[code] if is_gross else None, unit) for n, code in enumerate(sorted(used))
        ]

    def condition(self, low: Decimal | None, high: Decimal | None) -> tuple[str, list[Any]]:
        """Products with a VAT code that is valid, between two shown prices."""
        if low is None and high is None:
            return "p.vat_code = any(%s::text[])", [[c.code for c in self.codes]]
        found = [code.condition(low, high) for code in self.codes]
        if not found:
            return "false", []
        return f"({' or '.join(sql for sql, _ in found)})", [value for _, values in found for value in values]


def _codes_in_use() -> list[str]:
    """VAT codes that some product has, each found by one index look-up."""
    with cursor("storefront") as cur:
        cur.execute(
            "with recursive used(code) as ((select min(vat_code) from product_copy) union all "
            "select (select min(p.vat_code) from product_copy p where p.vat_code > used.code) from used "
            "where used.code is not null) select code from used where code is not null"
        )
        return [code for (code,) in cur.fetchall()]
