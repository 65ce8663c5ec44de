"""Issuing: once per shipment, whole or not at all, and never changed afterwards."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from admin_app.models import InvoiceCopy as AdminCopy
from erp.errors import ReaderUnavailable
from finance import api
from finance.errors import EmptyDocument, MoveOutOfOrder, NoExchangeRate, UnknownCustomer
from finance.models import Invoice, JournalEntry, NumberSeries
from storefront.models import InvoiceCopy as ShopCopy
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, World, number


def last_number() -> int:
    found = NumberSeries.objects.filter(code="INV", fiscal_year=2026).first()
    return found.last_no if found else 0


def test_shipment_is_invoiced_once(world: World) -> None:
    world.receive(world.mug, 5, "10")
    payload = world.issue(world.product_line(world.mug, 2, "100"))
    first, again = api.invoice_goods_issue(payload), api.invoice_goods_issue(payload)
    assert (first["number"], first["repeated"]) == (again["number"], False)
    assert again["repeated"]
    assert JournalEntry.objects.filter(document_kind="shipment", document_id=payload["shipment_id"]).count() == 1
    found = api.find_invoice_by_shipment(payload["shipment_id"])
    assert found is not None
    assert found["number"] == first["number"]


@pytest.mark.parametrize("model", [AdminCopy, ShopCopy])
def test_both_readers_have_the_invoice_when_the_call_returns(world: World, model: type[AdminCopy]) -> None:
    world.receive(world.mug, 5, "10")
    sale = world.sell(world.product_line(world.mug, 2, "100"))
    copy = model.objects.get(pk=sale["id"])
    assert (copy.number, copy.version, copy.gross_total) == (sale["number"], 1, Decimal(254))
    assert copy.lines[0]["quantity"] == 2
    assert copy.vat_summary[0]["vat"] == 54
    api.record_payment({"invoice_id": sale["id"], "amount": 100}, actor=BOOKKEEPER)
    copy.refresh_from_db()
    assert (copy.version, copy.payment_state, copy.paid_total) == (2, "partly_paid", 100)


@pytest.mark.parametrize("reader", ["admin_app", "storefront"])
def test_locked_reader_gives_503_and_uses_no_number(world: World, module_erp: ErpDatabase, reader: str) -> None:
    world.receive(world.mug, 5, "10")
    payload = world.issue(world.product_line(world.mug, 1, "100"))
    before = last_number()
    with module_erp.connect(f"{reader}_ddl") as c, c.transaction():
        c.execute("lock table invoice_copy in access exclusive mode")
        with pytest.raises(ReaderUnavailable, match=reader):
            api.invoice_goods_issue(payload)
    assert last_number() == before
    assert api.find_invoice_by_shipment(payload["shipment_id"]) is None
    assert api.invoice_goods_issue(payload)["number"].endswith(f"{before + 1:06d}")


def test_refusals_leave_no_gap(world: World) -> None:
    world.receive(world.mug, 5, "10")
    before = last_number()
    with pytest.raises(UnknownCustomer):
        api.invoice_goods_issue(world.issue(world.product_line(world.mug, 1, "1", move_id=None), customer_id=987))
    with pytest.raises(EmptyDocument):
        api.invoice_goods_issue(world.issue())
    with pytest.raises(NoExchangeRate):
        api.invoice_goods_issue(world.issue(world.product_line(world.tea, 1, "1", move_id=None), currency="XAF"))
    with pytest.raises(MoveOutOfOrder):
        api.invoice_goods_issue(
            world.issue(world.product_line(world.mug, 1, "1", move_id=number(), move_seq=10**6))
        )
    assert last_number() == before


def test_invoices_of_two_years_count_apart(world: World) -> None:
    line = {"name": "Advice", "quantity": 1, "unit_price": "100", "vat_code": "27"}
    numbers = [
        api_invoice(world, issued_on, line)["number"] for issued_on in ("2023-12-31", "2024-01-01", "2023-12-31")
    ]
    assert numbers == ["INV-2023-000001", "INV-2024-000001", "INV-2023-000002"]


def api_invoice(world: World, issued_on: str, *lines: dict[str, object]) -> dict[str, object]:
    from finance.services.invoicing import create_invoice

    return create_invoice({"customer_id": world.customer, "issued_on": issued_on, "lines": list(lines)}, BOOKKEEPER)


def test_free_goods_are_invoiced_over_nothing_but_cost_something(world: World) -> None:
    world.receive(world.tea, 4, "25")
    sale = world.sell(world.product_line(world.tea, 4, "0", "ATK"))
    assert (sale["gross_total"], api.get_invoice(sale["id"])["payment_state"]) == (0, "paid")
    cost = JournalEntry.objects.get(document_kind="shipment", document_id=sale["payload"]["shipment_id"])
    assert sum(x.amount for x in cost.lines.all() if x.account_id == "814") == 100


@pytest.mark.parametrize("role", ["finance", "finance_ddl", "postgres"])
@pytest.mark.parametrize(
    "statement",
    [
        "update finance.invoice set gross_total = 1 where id = %s",
        "update finance.invoice set state = 'draft' where id = %s",
        "delete from finance.invoice where id = %s",
        "update finance.invoice_line set net = 1 where invoice_id = %s",
        "delete from finance.invoice_line where invoice_id = %s",
        "insert into finance.invoice_line (invoice_id, line_no, name, sku, quantity, unit, unit_price, discount, "
        "vat_code, vat_rate, net, vat, gross) values (%s, 99, 'x', '', 1, 'pcs', 1, 0, '27', 27, 1, 0, 1)",
    ],
)
def test_issued_document_cannot_be_changed(world: World, module_erp: ErpDatabase, role: str, statement: str) -> None:
    world.receive(world.mug, 1, "10")
    sale = world.sell(world.product_line(world.mug, 1, "100"))
    with module_erp.connect(role) as c, pytest.raises(psycopg.Error, match="issued|never deleted|permission denied"):
        c.execute(statement, [sale["id"]])  # type: ignore[arg-type]


def test_documents_cannot_be_truncated(world: World, module_erp: ErpDatabase) -> None:
    for table in ("invoice", "invoice_line"):
        with module_erp.connect("postgres") as c, pytest.raises(psycopg.Error, match="append-only"):
            c.execute(f"truncate finance.{table} cascade")  # type: ignore[arg-type]


def test_invoice_that_is_not_posted_is_refused_at_commit(world: World, module_erp: ErpDatabase) -> None:
    world.receive(world.mug, 1, "10")
    sale = world.sell(world.product_line(world.mug, 1, "100"))
    row = Invoice.objects.filter(pk=sale["id"]).values().get()
    names = [n for n in row if n not in {"id", "number", "sequence_no", "shipment_id"}]
    columns = ", ".join(names)
    with module_erp.connect("finance") as c, pytest.raises(psycopg.Error, match="totals are not the sums of its lines"):
        c.execute(
            f"insert into invoice ({columns}, number, sequence_no) "  # type: ignore[arg-type]
            f"select {columns}, 'INV-2026-999999', 999999 from invoice where id = %s",
            [sale["id"]],
        )


def test_retail_customer_pays_gross_prices(world: World) -> None:
    world.receive(world.mug, 3, "10")
    sale = world.sell(world.product_line(world.mug, 3, "1000"), price_mode="gross")
    assert (sale["gross_total"], sale["net_total"], sale["vat_total"]) == (3000, 2362, 638)


def test_supplier_and_customer_are_frozen(world: World) -> None:
    world.receive(world.mug, 1, "10")
    sale = world.sell(world.product_line(world.mug, 1, "100"), bill_to={"name": "Kovács és Fia", "city": "Eger"})
    invoice = api.get_invoice(sale["id"])
    assert (invoice["customer"]["name"], invoice["customer"]["city"]) == ("Kovács és Fia", "Eger")
    assert invoice["supplier"]["tax_number"]
    assert invoice["due_on"] == "2026-03-18"  # eight days
