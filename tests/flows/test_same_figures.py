"""Any order has the same figures as basket, order, invoice, in the ledger, in the VAT return and in the tax report."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.money import DocumentTotals, round_money
from finance import api as finance
from finance.models import Invoice, JournalLine
from finance.nav.read_back import read_whole
from finance.services.reporting.documents import report_xml
from finance.services.reporting.own_side import vat_map
from finance.services.vat_documents import document_differences, documents_of_code
from finance.services.vat_return import vat_return
from logistics import api as logistics
from storefront.models import CustomerCopy, ProductCopy, SalesOrder, ShippingMethod
from storefront.services.cart import add_to_cart, cart_terms
from storefront.services.checkout import Confirmation, order_key, place_from_cart, price_cart
from storefront.services.pricing import Terms, Wanted, price_lines
from storefront.services.visitors import Visitor
from tests.databases import ErpDatabase
from tests.storefront import world

D = Decimal
CODES = ("27", "18", "5", "AAM")
CENT = Decimal("0.01")
_keys = itertools.count(1)

Sums = dict[str, tuple[Decimal, Decimal]]
"""VAT code → net and VAT; codes without an amount are left out."""


@dataclass(frozen=True)
class Shop:
    """Customers of both kinds, and a service under every VAT code."""

    person: CustomerCopy
    company: CustomerCopy
    services: Mapping[str, int]
    delivery: ShippingMethod


@pytest.fixture(scope="module")
def shop(module_erp: ErpDatabase) -> Shop:
    """Books, rates of currencies with 2 and 3 decimals, and what is sold."""
    world.set_up_books()
    logistics.save_warehouse({"code": "MAIN", "name": "Main", "priority": 10})
    finance.save_exchange_rates(
        [{"currency": c, "rate_on": "2024-01-01", "rate": r} for c, r in (("EUR", "391.37"), ("KWD", "1178.6123"))]
    )
    address = {"postcode": "7621", "city": "Pécs", "street": "Király u. 5."}
    company = {"is_company": True, "vat_status": "domestic", "tax_number": "12345676-2-02"}
    return Shop(
        world.customer("Kiss Anna", **address), world.customer("Kovács Kft.", **address, **company),
        {code: service(code) for code in CODES},
        world.delivery("POST", product_id=world.product("1299.5", product_class="shipping", is_stocked=False)),
    )  # fmt: skip


def service(code: str, price: str = "1000") -> int:
    """A product that needs no stock."""
    return world.product(price, vat_code=code, product_class="service", is_stocked=False)


def sums_of(rows: Any) -> Sums:
    """(code, net, VAT) added up per code."""
    found: Sums = {}
    for code, net, vat in rows:
        before = found.get(code, (D(0), D(0)))
        found[code] = (before[0] + net, before[1] + vat)
    return {code: sums for code, sums in found.items() if any(sums)}


def of_basket(basket: DocumentTotals) -> Sums:
    """What the shop shows."""
    return sums_of((r.vat_code, r.net, r.vat) for r in basket.rates)


def deliver(order: SalesOrder) -> Invoice:
    """The invoice of a whole order."""
    logistics.ship(order.pk, None, actor=world.SHOPPER, key=f"ship {order.pk}")
    return Invoice.objects.get(order_id=order.pk)


def require_same(basket: DocumentTotals, order: SalesOrder, invoice: Invoice) -> None:
    """Compare all of them, in the document's currency and in base currency."""
    shown = of_basket(basket)
    totals = (basket.net, basket.vat, basket.gross)
    assert (order.net_total, order.vat_total, order.gross_total) == totals
    assert sums_of((x.vat_code, x.net, x.vat) for x in order.lines.all()) == shown
    assert (invoice.net_total, invoice.vat_total, invoice.gross_total) == totals
    assert sums_of((r["vat_code"], r["net"], r["vat"]) for r in invoice.vat_summary) == shown
    assert sums_of((x.vat_code, x.net, x.vat) for x in invoice.lines.all()) == shown
    in_base = sums_of((r["vat_code"], r["base_net"], r["base_vat"]) for r in invoice.vat_summary)
    booked = list(JournalLine.objects.filter(document_kind="invoice", document_id=invoice.pk))
    assert posted(booked, "document_amount") == shown
    assert posted(booked, "amount") == in_base
    receivable = [x for x in booked if x.account_id.startswith("31")]
    assert sum(x.document_amount for x in receivable) == basket.gross
    assert returned(invoice, set(shown)) == in_base
    require_report(invoice, shown, in_base)


def posted(lines: list[JournalLine], amount: str) -> Sums:
    """Revenue and VAT per code, as positive figures."""
    rows = ((x.vat_code, -getattr(x, amount), x.account_id == "467") for x in lines if x.vat_code)
    return sums_of((code, D(0) if is_vat else money, money if is_vat else D(0)) for code, money, is_vat in rows)


def returned(invoice: Invoice, codes: set[str]) -> Sums:
    """What the VAT return has of the invoice."""
    day = invoice.fulfilled_on or invoice.issued_on
    assert day is not None
    rows = {code: documents_of_code(day, day, "sale", code, 100_000) for code in codes}
    return sums_of(
        (code, r["base"], r["tax"]) for code, found in rows.items() for r in found if r["document_id"] == invoice.pk
    )


def require_report(invoice: Invoice, shown: Sums, in_base: Sums) -> None:
    """The report's totals and sums of lines; it has two decimals, so three are rounded."""
    codes, report = vat_map(), read_whole(report_xml(str(invoice.number)))
    for rows in (report.totals, report.lines):
        native = [(codes.code_of(r.key), r.net, r.vat) for r in rows if r.net and r.vat]
        assert sums_of((code, net.huf, vat.huf) for code, net, vat in native) == in_base
        if rows is report.totals or invoice.currency != "KWD":
            assert sums_of((code, net.amount, vat.amount) for code, net, vat in native) == {
                code: (cents(net), cents(vat)) for code, (net, vat) in shown.items()
            }
    if invoice.currency != "KWD":
        assert report.gross
        assert (report.gross.amount, report.gross.huf) == (invoice.gross_total, invoice.base_gross_total)


def cents(amount: Decimal) -> Decimal:
    """Two decimals."""
    return amount.quantize(CENT, ROUND_HALF_UP)


_LINES = st.lists(
    st.tuples(st.integers(1, 60), st.integers(1_000, 900_000_000), st.integers(0, 30), st.sampled_from(CODES)),
    min_size=1,
    max_size=6,
)
_quick = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_quick
@given(_LINES, st.sampled_from(["HUF", "EUR", "KWD"]), st.sampled_from(["net", "gross"]))
def test_any_order_keeps_its_figures_to_the_tax_report(
    shop: Shop, drawn: list[tuple[int, int, int, str]], currency: str, mode: str
) -> None:
    """Quantities, prices with up to six decimals, discounts and VAT codes as they come."""
    rows = [
        {
            "product_id": shop.services[code], "quantity": quantity, "unit_price": D(millionths) / 10**6,
            "discount": cents(D(quantity * millionths * percent) / 10**8), "vat_code": code,
        }
        for quantity, millionths, percent, code in drawn
    ]  # fmt: skip
    customer = shop.company if mode == "net" else shop.person
    order = placed(customer, rows, currency, mode)
    terms = Terms(currency, mode, "HU", customer.vat_status, order.ordered_on)
    products = ProductCopy.objects.in_bulk([row["product_id"] for row in rows])
    wanted = [
        Wanted(
            products[r["product_id"]], r["quantity"], r["unit_price"], r["vat_code"],
            discount=round_money(r["discount"], currency),
        )
        for r in rows
    ]  # fmt: skip
    invoice = deliver(order)
    require_same(price_lines(wanted, terms)[1], order, invoice)


def placed(customer: CustomerCopy, rows: list[dict[str, Any]], currency: str, mode: str) -> SalesOrder:
    """An order over the API."""
    done = world.api.place_order(
        {"customer_id": customer.pk, "lines": rows, "currency": currency, "price_mode": mode}, actor=world.SHOPPER,
        idempotency_key=f"same-{next(_keys)}",
    )  # fmt: skip
    return SalesOrder.objects.get(pk=done["order_id"])


_CART = st.lists(
    st.tuples(st.integers(1, 60), st.integers(1, 90_000_000), st.sampled_from(CODES)), min_size=1, max_size=5
)


@_quick
@given(_CART, st.booleans())
def test_any_cart_keeps_its_figures_to_the_tax_report(
    shop: Shop, drawn: list[tuple[int, int, str]], is_company: bool
) -> None:
    """A person's cart has gross prices, a company's net ones."""
    customer = shop.company if is_company else shop.person
    visitor = Visitor(None, customer, "anna@example.com")
    cart = None
    for quantity, hundredths, code in drawn:
        cart = add_to_cart(visitor, service(code, str(D(hundredths) / 100)), quantity)
    assert cart is not None
    terms = cart_terms(visitor)
    assert terms.price_mode == ("net" if is_company else "gross")
    basket = price_cart(list(cart.lines.all()), terms, shop.delivery)
    address = {"name": customer.name, "country": "HU", "postcode": "7621", "city": "Pécs", "street": "Király u. 5."}
    said = Confirmation(
        cart_version=cart.version, key=order_key(cart), email="anna@example.com", phone="", ship_to=address,
        bill_to=address, shipping_method=shop.delivery.code, payment_method="transfer", total=basket.totals.gross,
    )  # fmt: skip
    done = place_from_cart(visitor, cart.pk, said, actor=world.SHOPPER)
    order = SalesOrder.objects.get(pk=done.order_id)
    require_same(basket.totals, order, deliver(order))


def test_return_of_all_is_the_sum_of_their_documents(shop: Shop) -> None:
    """After the two tests above, as a whole."""
    row = {"product_id": shop.services["27"], "quantity": 3, "unit_price": D("99.5")}
    day = deliver(placed(shop.person, [row], "HUF", "gross")).issued_on
    assert day is not None
    found = vat_return(day, day)
    documents = sums_of(
        (r["vat_code"], r["base_net"], r["base_vat"]) for i in Invoice.objects.all() for r in i.vat_summary
    )
    assert sums_of((c.code, c.base, c.tax) for c in found.codes) == documents
    assert (found.agrees, document_differences(day, day)) == (True, [])
