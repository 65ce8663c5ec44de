"""Prices and VAT from Storefront's own copies; basket and order use the same totals as invoice and ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

from erp.db import fetch_prepared
from erp.errors import Refused
from erp.money import HUNDRED, DocumentTotals, LineInput, document_totals, round_money
from erp.reading import Columns
from finance import api as finance
from storefront.models import CustomerCopy, ProductCopy
from storefront.serializers import OrderLine


class NotForSale(Refused):
    """This product cannot be ordered."""

    code = "not-for-sale"


class NoVatRate(Refused):
    """The VAT code has no rate on this day."""

    code = "no-vat-rate"


@dataclass(frozen=True)
class Terms:
    """The terms on which somebody buys: they decide price mode and VAT."""

    currency: str
    price_mode: str  # net for companies, gross for private persons
    country: str
    vat_status: str
    on_date: date


@dataclass(frozen=True)
class Offer:
    """What the shop asks on a day, read once: products by id (those that exist), and rates by VAT code."""

    products: Mapping[int, ProductCopy]
    rates: Mapping[str, Decimal]


@dataclass(frozen=True)
class Wanted:
    """A line to be priced; what is None comes from the product."""

    product: ProductCopy
    quantity: int
    unit_price: Decimal | None = None
    vat_code: str | None = None
    name: str = ""
    discount: Decimal = Decimal(0)


def terms_for(customer: CustomerCopy | None, *, country: str = "", on_date: date) -> Terms:
    """Terms of a customer; without one those of a private person at home."""
    is_company = bool(customer and customer.is_company)
    return Terms(
        currency=settings.BASE_CURRENCY,
        price_mode="net" if is_company else "gross",
        country=country or (customer.country if customer else settings.COMPANY["country"]),
        vat_status=customer.vat_status if customer else "private",
        on_date=on_date,
    )


PRICED = Columns(
    ProductCopy, "p", "id", "sku", "name", "unit", "product_class", "vat_code", "base_price", "currency", "is_stocked",
    "is_sellable", "retired_at",
)  # fmt: skip
"""What a product's price depends on, and what an order line says of it; alias ``p``."""

_PRODUCTS = f"select {PRICED.sql} from product_copy p where p.id = any (%s::bigint[])"


def products_by_id(keys: Iterable[int]) -> dict[int, ProductCopy]:
    """Products with what their price depends on."""
    return {product.pk: product for product in PRICED.fetch(_PRODUCTS, [list(keys)])}


_RATES = """
select code, rate from vat_code_copy where retired_at is null
  and (valid_from is null or valid_from <= %s::date) and (valid_to is null or valid_to >= %s::date)"""


def vat_rates(on_date: date) -> dict[str, Decimal]:
    """VAT code → rate in percent, of the codes that are valid on a day."""
    return dict(fetch_prepared("storefront", _RATES, [on_date, on_date]))


def vat_code_of(product_class: str, default_code: str, terms: Terms) -> str:
    """VAT code of a sale on these terms: Finance's choice, from the product's own code."""
    return finance.choose_vat_code(product_class, terms.vat_status, terms.country, terms.on_date, default_code)


def rate_of(code: str, rates: Mapping[str, Decimal]) -> Decimal:
    """Rate of a code. Raises NoVatRate."""
    rate = rates.get(code)
    if rate is None:
        raise NoVatRate(f"VAT code {code!r} is not valid on this day", vat_code=code)
    return rate


def unit_price(product: ProductCopy, rate: Decimal, price_mode: str) -> Decimal:
    """Price of one unit in the price mode: gross prices are rounded to what can be paid."""
    if price_mode == "net":
        return Decimal(product.base_price)
    return round_money(product.base_price * (HUNDRED + rate) / HUNDRED, product.currency or settings.BASE_CURRENCY)


def price_lines(
    wanted: Sequence[Wanted], terms: Terms, rates: Mapping[str, Decimal] | None = None
) -> tuple[tuple[OrderLine, ...], DocumentTotals]:
    """Price lines in order and compute the document's totals; line numbers count from 1.

    Args:
        rates: :func:`vat_rates` of the terms' day, when they were read before.
    """
    rates = vat_rates(terms.on_date) if rates is None else rates
    codes = [w.vat_code or vat_code_of(w.product.product_class, w.product.vat_code, terms) for w in wanted]
    prices = [
        unit_price(w.product, rate_of(code, rates), terms.price_mode) if w.unit_price is None else w.unit_price
        for w, code in zip(wanted, codes, strict=True)
    ]
    totals = document_totals(
        [
            LineInput(w.quantity, price, code, rate_of(code, rates), w.discount)
            for w, price, code in zip(wanted, prices, codes, strict=True)
        ],
        terms.currency,
        terms.price_mode,
    )
    lines = tuple(
        OrderLine(
            line_no=number, product_id=w.product.pk, sku=w.product.sku, name=w.name or w.product.name,
            unit=w.product.unit, product_class=w.product.product_class, quantity=w.quantity, unit_price=price,
            discount=w.discount, vat_code=code, vat_rate=rates[code], net=line.net, vat=line.vat, gross=line.gross,
            is_stocked=w.product.is_stocked,
        )
        for number, (w, price, code, line) in enumerate(zip(wanted, prices, codes, totals.lines, strict=True), 1)
    )  # fmt: skip
    return lines, totals


def is_for_sale(product: ProductCopy | None) -> bool:
    """Whether the shop sells it now."""
    return bool(
        product
        and product.is_sellable
        and product.retired_at is None
        and product.base_price > 0
        and product.product_class in {"goods", "service", "voucher"}
    )
