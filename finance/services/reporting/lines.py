"""Lines and VAT summary of a report: the document's own amounts, in its currency and in HUF."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.money import round_money
from finance.nav.document import (
    Advance,
    AdvancePayment,
    AggregateSupply,
    Category,
    Discount,
    Line,
    LineNature,
    Money,
    ProductCode,
    References,
    VatSummary,
)
from finance.nav.transport_means import NEW_TRANSPORT
from finance.nav.vat import VatTreatment
from finance.services.reporting.transport import mean_of

ZERO = Decimal(0)
_CENT, _PRICE, _RATE = Decimal("0.01"), Decimal("0.0000000001"), Decimal("0.000001")

_UNITS = {
    "pcs": "PIECE", "pc": "PIECE", "piece": "PIECE", "db": "PIECE", "kg": "KILOGRAM", "t": "TON", "kwh": "KWH",
    "day": "DAY", "nap": "DAY", "h": "HOUR", "hour": "HOUR", "óra": "HOUR", "min": "MINUTE", "month": "MONTH",
    "hó": "MONTH", "l": "LITER", "km": "KILOMETER", "m3": "CUBIC_METER", "m": "METER", "carton": "CARTON",
    "pack": "PACK",
}  # fmt: skip
"""Our units by the interface's names; any other is reported as the document's own word."""

_NATURES = {"service": LineNature.SERVICE, "shipping": LineNature.SERVICE, "voucher": LineNature.OTHER}

Treatments = Mapping[str, VatTreatment]


def report_lines(document: Mapping[str, Any], treatments: Treatments, category: Category) -> tuple[Line, ...]:
    """The lines of a document, numbered from 1; of a change also by their place in the chain."""
    return tuple(
        _line(document, row, number, treatments[row["vat_code"]], category)
        for number, row in enumerate(document["lines"], start=1)
    )


def report_summary(document: Mapping[str, Any], treatments: Treatments, category: Category) -> tuple[VatSummary, ...]:
    """Totals per VAT treatment, in the order of the lines; codes that the NAV knows as one are added up."""
    rows: dict[Any, VatSummary] = {}
    order = [line["vat_code"] for line in document["lines"]]
    for rate in sorted(document["vat_summary"], key=lambda row: order.index(row["vat_code"])):
        vat = treatments[rate["vat_code"]]
        key = vat.simplified().key if category is Category.SIMPLIFIED else vat.key
        net, tax = Money(_cents(rate["net"]), rate["base_net"]), Money(_cents(rate["vat"]), rate["base_vat"])
        so_far = rows.get(key)
        if so_far and so_far.net and so_far.vat_amount:
            vat, net, tax = so_far.vat, so_far.net + net, so_far.vat_amount + tax
        rows[key] = VatSummary(vat, net + tax, net, tax)
    return tuple(rows.values())


def _line(
    document: Mapping[str, Any], row: Mapping[str, Any], number: int, vat: VatTreatment, category: Category
) -> Line:
    net = Money(_cents(row["net"]), _huf(document, row, "net"))
    tax = Money(_cents(row["vat"]), _huf(document, row, "vat"))
    is_aggregate = category is Category.AGGREGATE
    return Line(
        number=number,
        description=row["name"],
        vat=vat,
        net=net,
        vat_amount=tax,
        gross=net + tax,
        product_codes=(ProductCode("OWN", row["sku"]),) if row["sku"] else (),
        advance=_advance(document, row),
        chain_number=None if document["base_id"] is None else document["chain_lines"] + number,
        aggregate=_supply(document, row) if is_aggregate else None,
        references=_papers(row) if is_aggregate else None,
        new_transport_mean=mean_of(document, row) if vat.value == NEW_TRANSPORT else None,
        **_goods(document, row, net.amount, category),
    )


def _goods(document: Mapping[str, Any], row: Mapping[str, Any], net: Decimal, category: Category) -> dict[str, Any]:
    if row["advance_number"]:  # takes an amount off, sells nothing
        return {"nature": None, "is_measurable": False}
    price, discount = _price_and_discount(document, row, net, category)
    in_huf = price if document["currency"] == "HUF" else _price(price * document["exchange_rate"])
    return {
        "quantity": Decimal(row["quantity"]),
        "unit": _UNITS.get(row["unit"].lower(), row["unit"]),
        "unit_price": Money(price, in_huf),
        "nature": _NATURES.get(row["product_class"], LineNature.PRODUCT),
        "discount": Discount("Árengedmény", discount) if discount else None,
    }


def _price(price: Decimal) -> Decimal:
    return price.quantize(_PRICE, ROUND_HALF_UP).normalize()


def _price_and_discount(
    document: Mapping[str, Any], row: Mapping[str, Any], net: Decimal, category: Category
) -> tuple[Decimal, Decimal]:
    """Unit price and discount as the report wants them: net, but gross on a simplified invoice.

    Discounts of the line and of the document are one figure: quantity times price, less what the line says.
    """
    price, amount = Decimal(row["unit_price"]), net
    is_gross = document["price_mode"] == "gross"
    if category is Category.SIMPLIFIED:
        amount = _cents(row["gross"])
    elif is_gross and row["vat_rate"]:
        price = price / (1 + Decimal(row["vat_rate"]) / 100)
    has_discount = row["discount"] or row["discount_percent"] or document["discount"] or document["discount_percent"]
    if not has_discount and is_gross and category is not Category.SIMPLIFIED:
        price = net / row["quantity"]  # so that quantity times price is what the line says
    price = _price(price)
    less = (price * row["quantity"] - amount).quantize(_CENT, ROUND_HALF_UP) if has_discount else ZERO
    return price, less


def _advance(document: Mapping[str, Any], row: Mapping[str, Any]) -> Advance | None:
    if row["advance_number"]:
        rate = Decimal(row["advance_rate"]).quantize(_RATE, ROUND_HALF_UP).normalize()
        return Advance(AdvancePayment(row["advance_number"], row["advance_paid_on"], rate))
    return Advance() if document["first_kind"] == "advance" else None


def _supply(document: Mapping[str, Any], row: Mapping[str, Any]) -> AggregateSupply:
    rate = Decimal(document["exchange_rate"]).quantize(_RATE, ROUND_HALF_UP).normalize()
    day = row["supplied_on"] or document["fulfilled_on"] or document["issued_on"]
    return AggregateSupply(day, None if document["currency"] == "HUF" else rate)


def _papers(row: Mapping[str, Any]) -> References:
    return References(
        order_numbers=(row["order_number"],) if row["order_number"] else (),
        delivery_notes=(row["shipment_number"],) if row["shipment_number"] else (),
    )


def _huf(document: Mapping[str, Any], row: Mapping[str, Any], name: str) -> Decimal:
    """A line's amount in base currency as it was posted; documents from before lines kept it are converted."""
    kept = row[f"base_{name}"]
    return round_money(row[name] * document["exchange_rate"], "HUF") if kept is None else Decimal(kept)


def _cents(amount: Any) -> Decimal:
    """An amount with the two decimals that a report can carry (currencies with three are rounded)."""
    return Decimal(amount).quantize(_CENT, ROUND_HALF_UP)
