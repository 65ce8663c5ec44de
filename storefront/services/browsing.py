"""The product list: category, search, price and stock filters, sorting, keyset pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp.db import cursor
from storefront.models import ProductCopy
from storefront.services import search
from storefront.services.keyset import decode_cursor, encode_cursor
from storefront.services.shown_prices import PriceList

PAGE_PRODUCTS = 24
COUNT_UP_TO = 1_000  # beyond it the exact number is not worth counting
RANK_UP_TO = 1_000  # of a search that finds more, the newest that many compete for the first places

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


def list_products(wanted: Filter, rates: Mapping[str, Decimal], currency: str, price_mode: str) -> Page:
    """One page of what the shop sells.

    Args:
        rates: VAT code → rate; products whose code has none cannot be sold and are left out.
    """
    query = _Query(wanted, PriceList(rates, currency, price_mode))
    if wanted.q and query.text is None:
        return Page([], "", 0)
    with cursor("storefront") as cur:
        cur.execute(*query.page_sql())
        rows = cur.fetchall()
        cur.execute(*query.count_sql())
        count = int(cur.fetchone()[0])
    more = len(rows) > PAGE_PRODUCTS
    rows = rows[:PAGE_PRODUCTS]
    found = ProductCopy.objects.in_bulk([row[-1] for row in rows])
    products = [found[row[-1]] for row in rows if row[-1] in found]
    following = encode_cursor(rows[-1]) if more else ""
    corrected = query.text.corrected if query.text else ""
    return Page(products, following, count if count <= COUNT_UP_TO else None, corrected)


class _Query:
    """The SQL of one list. Every statement gives a row's sort values, the product's id last."""

    def __init__(self, wanted: Filter, prices: PriceList) -> None:
        self.wanted = wanted
        self.prices = prices
        self.text = search.understand(wanted.q) if wanted.q else None

    def _conditions(self) -> tuple[str, list[Any]]:
        wanted = self.wanted
        parts = [
            "p.is_sellable", "p.retired_at is null", "p.base_price > 0", "p.currency = %s",
            "p.product_class in ('goods', 'service', 'voucher')",
        ]  # fmt: skip
        values: list[Any] = [self.prices.currency]
        if self.text:
            parts.append(f"{search.DOCUMENT_SQL} @@ %s::tsquery")
            values.append(self.text.tsquery)
        if wanted.category:
            parts.append("(p.category = %s or p.category like %s)")
            values += [wanted.category, wanted.category.replace("%", r"\%").replace("_", r"\_") + "/%"]
        if wanted.in_stock:
            parts.append(
                "(not p.is_stocked or exists (select 1 from stock_copy s where s.product_id = p.id "
                "and s.on_hand > s.reserved))"
            )
        return " and ".join(parts), values

    def _matching(self) -> tuple[str, list[Any]]:
        """Condition of everything in the list, whatever its VAT code."""
        where, values = self._conditions()
        sold, codes = self.prices.condition(self.wanted.price_min, self.wanted.price_max)
        return f"{where} and {sold}", [*values, *codes]

    def page_sql(self) -> tuple[str, list[Any]]:
        """Sort values and ids of the page's rows, one more than the page has."""
        sort = self.wanted.sort or ("relevance" if self.text else "newest")
        if sort in {"price", "-price"}:
            return self._by_price(descending=sort == "-price")
        if sort == "relevance" and self.text:
            return self._by_relevance(self.text.tsquery)
        key, kind, down = ("p.name", "text", False) if sort == "name" else ("p.id", "bigint", True)
        where, values = self._matching()
        after = decode_cursor(self.wanted.after, (kind, "bigint"))
        if after:
            where += f" and ({key}, p.id) {'<' if down else '>'} (%s::{kind}, %s::bigint)"
            values += after
        order = f"{key} desc, p.id desc" if down else f"{key}, p.id"
        return f"select {key}, p.id from product_copy p where {where} order by {order} {_LIMIT}", values

    def _by_relevance(self, tsquery: str) -> tuple[str, list[Any]]:
        """By rank, rounded so that it survives the trip through the cursor exactly."""
        where, values = self._matching()
        after = decode_cursor(self.wanted.after, ("numeric", "bigint"))
        beyond = "where (rank, id) < (%s::numeric, %s::bigint)" if after else ""
        statement = (
            f"with found as materialized (select p.* from product_copy p where {where} "
            f"order by p.id desc limit {RANK_UP_TO}), "
            f"ranked as (select round(ts_rank({search.DOCUMENT_SQL}, %s::tsquery)::numeric, 6) rank, p.id "
            f"from found p) "
            f"select rank, id from ranked {beyond} order by rank desc, id desc {_LIMIT}"
        )
        return statement, [*values, tsquery, *(after or [])]

    def _by_price(self, *, descending: bool) -> tuple[str, list[Any]]:
        """By shown price, then VAT code and base price: within a code that is the order of an index.

        Few rows are sorted; of many, each VAT code gives its first ones and those are merged.
        """
        kinds = ("numeric", "bigint", "numeric", "bigint")
        after = decode_cursor(self.wanted.after, kinds)
        where, values = self._conditions()
        is_narrow = bool(self.text or self.wanted.category)
        branches, arguments = [], []
        for code in self.prices.codes:
            sold, bounds = code.condition(self.wanted.price_min, self.wanted.price_max)
            beyond, last = code.beyond(after, descending=descending) if after else ("", [])
            rest = "" if is_narrow else f"order by p.base_price {_DOWN[descending]}, p.id {_DOWN[descending]} {_LIMIT}"
            branches.append(
                f"(select {code.shown} shown, {code.position} code, p.base_price, p.id from product_copy p "
                f"where {where} and {sold}{beyond} {rest})"
            )
            arguments += [*values, *bounds, *last]
        order = ", ".join(f"{n} {_DOWN[descending]}" for n in (1, 2, 3, 4))
        nothing = "select 0::numeric, 0, 0::numeric, 0::bigint where false"
        return f"select * from ({' union all '.join(branches) or nothing}) x order by {order} {_LIMIT}", arguments

    def count_sql(self) -> tuple[str, list[Any]]:
        """Number of products, counted no further than is of use."""
        where, values = self._matching()
        return f"select count(*) from (select 1 from product_copy p where {where} limit {COUNT_UP_TO + 1}) x", values


_LIMIT = f"limit {PAGE_PRODUCTS + 1}"
_DOWN = {True: "desc", False: "asc"}
