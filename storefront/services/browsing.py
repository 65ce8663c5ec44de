"""The product list: category, search, price and stock filters, sorting, keyset pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from erp.db import cursor
from erp.money import minor_units
from storefront.models import ProductCopy
from storefront.services import search

PAGE_PRODUCTS = 24
COUNT_UP_TO = 1_000  # beyond it the exact number is not worth counting

SORTS = ("newest", "name", "price", "-price", "relevance")


@dataclass(frozen=True)
class Filter:
    """What the visitor wants to see. Prices are as shown, in the price mode of the list."""

    q: str = ""
    category: str = ""
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool = False
    sort: str = ""
    after: str = ""  # cursor of the page before


@dataclass(frozen=True)
class Page:
    """One page of the list."""

    products: list[ProductCopy]
    next_cursor: str
    count: int | None  # None: more than COUNT_UP_TO
    corrected: str = ""  # what was searched for instead of the typed words


def encode_cursor(value: Any, key: int) -> str:
    """Opaque text for 'after this row'."""
    return base64.urlsafe_b64encode(json.dumps([str(value), key]).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> tuple[str, int] | None:
    """Sort value and key of a cursor; None for anything that is not one of ours."""
    try:
        value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return str(value), int(key)
    except (ValueError, TypeError, binascii.Error):
        return None


def list_products(wanted: Filter, rates: Mapping[str, Decimal], currency: str, price_mode: str) -> Page:
    """One page of what the shop sells.

    Args:
        rates: VAT code → rate; products whose code has none cannot be sold and are left out.
    """
    query = _Query(wanted, rates, currency, price_mode)
    if wanted.q and query.text is None:
        return Page([], "", 0)
    with cursor("storefront") as cur:
        cur.execute(*query.page_sql())
        rows = cur.fetchall()
        cur.execute(*query.count_sql())
        count = int(cur.fetchone()[0])
    more = len(rows) > PAGE_PRODUCTS
    rows = rows[:PAGE_PRODUCTS]
    found = ProductCopy.objects.in_bulk([key for key, _ in rows])
    products = [found[key] for key, _ in rows if key in found]
    following = encode_cursor(rows[-1][1], rows[-1][0]) if more else ""
    corrected = query.text.corrected if query.text else ""
    return Page(products, following, count if count <= COUNT_UP_TO else None, corrected)


class _Query:
    """The SQL of one list: conditions, sort value and page condition with their parameters."""

    def __init__(self, wanted: Filter, rates: Mapping[str, Decimal], currency: str, price_mode: str) -> None:
        self.wanted = wanted
        self.text = search.understand(wanted.q) if wanted.q else None
        self.codes, self.rates = list(rates), [rates[code] for code in rates]
        self.currency = currency
        gross = f"round(p.base_price * (100 + r.rate) / 100, {minor_units(currency)})"
        self.price = gross if price_mode == "gross" else "p.base_price"

    def _conditions(self) -> tuple[str, list[Any]]:
        wanted = self.wanted
        parts = [
            "p.is_sellable", "p.retired_at is null", "p.base_price > 0", "p.currency = %s",
            "p.product_class in ('goods', 'service', 'voucher')",
        ]  # fmt: skip
        values: list[Any] = [self.currency]
        if self.text:
            parts.append(f"{search.DOCUMENT_SQL} @@ %s::tsquery")
            values.append(self.text.tsquery)
        if wanted.category:
            parts.append("(p.category = %s or p.category like %s)")
            values += [wanted.category, wanted.category.replace("%", r"\%").replace("_", r"\_") + "/%"]
        if wanted.price_min is not None:
            parts.append(f"{self.price} >= %s")
            values.append(wanted.price_min)
        if wanted.price_max is not None:
            parts.append(f"{self.price} <= %s")
            values.append(wanted.price_max)
        if wanted.in_stock:
            parts.append(
                "(not p.is_stocked or exists (select 1 from stock_copy s where s.product_id = p.id "
                "and s.on_hand > s.reserved))"
            )
        return " and ".join(parts), values

    def _sort(self) -> tuple[str, list[Any], bool, str]:
        """Sort expression, its parameters, whether descending, and the type of the cursor's value."""
        sort = self.wanted.sort or ("relevance" if self.text else "newest")
        if sort == "relevance" and self.text:
            # Rounded, so that the value survives the trip through the cursor exactly.
            rank = f"round(ts_rank({search.DOCUMENT_SQL}, %s::tsquery)::numeric, 6)"
            return rank, [self.text.tsquery], True, "numeric"
        if sort == "name":
            return "p.name", [], False, "text"
        if sort in {"price", "-price"}:
            return self.price, [], sort == "-price", "numeric"
        return "p.id", [], True, "bigint"

    def page_sql(self) -> tuple[str, list[Any]]:
        """Key and sort value of the page's rows, one more than the page has."""
        where, values = self._conditions()
        key, key_values, descending, kind = self._sort()
        after = decode_cursor(self.wanted.after) if self.wanted.after else None
        direction = "desc" if descending else "asc"
        if after and _fits(after[0], kind):
            where += f" and ({key}, p.id) {'<' if descending else '>'} (%s::{kind}, %s)"
            values += [*key_values, *after]
        statement = (
            f"select p.id, {key} from unnest(%s::text[], %s::numeric[]) r(code, rate) "
            f"join product_copy p on p.vat_code = r.code where {where} "
            f"order by 2 {direction}, 1 {direction} limit {PAGE_PRODUCTS + 1}"
        )
        return statement, [*key_values, self.codes, self.rates, *values]

    def count_sql(self) -> tuple[str, list[Any]]:
        """Number of products, counted no further than is of use."""
        where, values = self._conditions()
        statement = (
            f"select count(*) from (select 1 from unnest(%s::text[], %s::numeric[]) r(code, rate) "
            f"join product_copy p on p.vat_code = r.code where {where} limit {COUNT_UP_TO + 1}) x"
        )
        return statement, [self.codes, self.rates, *values]


def _fits(value: str, kind: str) -> bool:
    if kind == "text":
        return "\x00" not in value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return number.is_finite() and abs(number) < 10**15 and (kind != "bigint" or number == int(number))
