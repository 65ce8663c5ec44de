"""Reads for other modules and pages: documents, VAT codes, sums of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound
from erp.fields import load_json
from finance.models import Invoice, InvoiceSettlement, VatCode


def get_invoice(invoice_id: int) -> dict[str, Any]:
    """A document as readers see it (a draft as it stands). Raises NotFound."""
    with cursor("finance") as cur:
        cur.execute(f"select ({Invoice.payload_sql})::text from invoice t where t.id = %s", [invoice_id])
        row = cur.fetchone()
    if row is None:
        raise NotFound(f"invoice {invoice_id} does not exist")
    found: dict[str, Any] = load_json(row[0])
    return found


def open_total(invoice_id: int) -> Decimal:
    """What is still to be paid of a document; negative: to be paid back. Raises NotFound."""
    found = InvoiceSettlement.objects.filter(pk=invoice_id).first()
    if found is None:
        raise NotFound(f"invoice {invoice_id} is not issued or does not exist")
    return Decimal(found.gross_total - found.paid_total - found.offset_total - found.written_off_total)


def find_invoice_by_shipment(shipment_id: int) -> dict[str, Any] | None:
    """The invoice of a shipment, None when it is not invoiced yet."""
    key = Invoice.objects.filter(shipment_id=shipment_id).values_list("id", flat=True).first()
    return None if key is None else get_invoice(key)


def list_vat_codes(on_date: date | None = None) -> list[dict[str, Any]]:
    """VAT codes in use (on a day), by code."""
    names = ("code", "name", "name_hu", "rate", "category", "direction", "valid_from", "valid_to")
    codes = VatCode.objects.filter(retired_at__isnull=True).order_by("code").values(*names)
    if on_date is None:
        return list(codes)
    return [c for c in codes if c["valid_from"] <= on_date <= (c["valid_to"] or on_date)]


def net_of_references(references: Sequence[str]) -> Decimal:
    """Net total, in the documents' currency, of all issued documents with these external references."""
    with cursor("finance") as cur:
        cur.execute(
            "select coalesce(sum(net_total), 0) from invoice where state = 'issued' and external_ref = any(%s)",
            [list(references)],
        )
        found: Decimal = cur.fetchone()[0]
    return found


def moved_on_account(posting_keys: Sequence[str], account: str) -> Decimal:
    """What entries with these posting keys moved on an account, in their currency; debit positive."""
    with cursor("finance") as cur:
        cur.execute(
            "select coalesce(sum(l.document_amount), 0) from journal_entry e join journal_line l on l.entry_id = e.id "
            "where e.posting_key = any(%s) and l.account = %s",
            [list(posting_keys), account],
        )
        found: Decimal = cur.fetchone()[0]
    return found


def books_difference() -> Decimal:
    """Sum of the whole ledger: zero, or the books are broken."""
    with cursor("finance") as cur:
        cur.execute("select coalesce(sum(amount), 0) from journal_line")
        return Decimal(cur.fetchone()[0])


_VALUED = """
select move_id, product_id, move_seq, kind, quantity, unit_cost, moved_on, document_kind, document_id, document_number
from valued_move where product_id = %s order by move_seq"""


def list_valued_moves(product_id: int) -> list[dict[str, Any]]:
    """Stock moves of a product as they were when they were valued, by number."""
    with cursor("finance") as cur:
        cur.execute(_VALUED, [product_id])
        return rows_as_dicts(cur)
