"""The entry of a document: receivables against revenue per line and VAT per code."""

from __future__ import annotations

from decimal import Decimal

from finance.serializers.ledger import EntryDraft, LineDraft
from finance.services import accounts
from finance.services.documents import Document, Totals


def sales_entry(document: Document, totals: Totals, invoice_id: int) -> EntryDraft:
    """Dr receivables, Cr revenue, Cr VAT; a credit note has the signs turned. The number comes with the document."""
    receivable = LineDraft(
        account=accounts.receivables(document.country, document.currency),
        amount=totals.base_gross if totals.gross else Decimal(0),
        document_amount=totals.gross,
        currency=document.currency,
        customer_id=document.customer_id,
        due_on=document.due_on,
    )
    is_foreign = document.currency != accounts.base_currency()
    return EntryDraft(
        journal="SAL",
        entry_on=document.issued_on,
        posting_key=f"invoice:{invoice_id}",
        lines=[receivable, *_revenue(document, totals), *_vat(document, totals), *_exchange(document, totals)],
        text=str(document.customer.get("name") or ""),
        document_kind=document.kind,
        document_number=None,
        document_id=invoice_id,
        exchange_rate=document.rate.rate if is_foreign else None,
        rate_on=document.rate.rate_on if is_foreign else None,
        rate_source=document.rate.source if is_foreign else "",
        tax_on=document.tax_on,
    )


def _revenue(document: Document, totals: Totals) -> list[LineDraft]:
    return [
        LineDraft(
            account=accounts.revenue(line.product_class, document.country, document.issued_on),
            amount=-base_net,
            document_amount=-line.net,
            currency=document.currency,
            text=line.name,
            customer_id=document.customer_id,
            product_id=line.product_id,
            quantity=line.quantity,
            vat_code=line.vat_code,
        )
        for line, base_net in zip(document.lines, totals.base_nets, strict=True)
    ]


def _exchange(document: Document, totals: Totals) -> list[LineDraft]:
    """Nothing is to be paid, but an advance was booked at another rate: the rest is an exchange difference."""
    if totals.gross or not totals.base_gross:
        return []
    account = accounts.EXCHANGE_LOSS if totals.base_gross > 0 else accounts.EXCHANGE_GAIN
    return [
        LineDraft(
            account=account, amount=totals.base_gross, document_amount=Decimal(0), currency=document.currency,
            customer_id=document.customer_id,
        )
    ]  # fmt: skip


def _vat(document: Document, totals: Totals) -> list[LineDraft]:
    return [
        LineDraft(
            account=accounts.OUTPUT_VAT,
            amount=-rate.base_vat,
            document_amount=-rate.vat,
            currency=document.currency,
            customer_id=document.customer_id,
            vat_code=rate.vat_code,
        )
        for rate in totals.rates
        if rate.vat or rate.base_vat
    ]
