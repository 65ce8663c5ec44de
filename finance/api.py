"""What other modules may call of Finance. Plain data in and out (Decimal, date and datetime allowed).

Refusals are ``erp.errors.Refused`` with a code and a message for people; nothing has changed after one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from finance.services import (
    accounts,
    balances,
    books,
    crediting,
    demo,
    goods_issues,
    issue_lookup,
    payments,
    posting,
    printing,
    rates,
    reading,
    refunds,
    soundness,
    valuation,
    vat_choice,
)

__all__ = [
    "books_difference",
    "books_problems",
    "choose_vat_code",
    "credit_return",
    "find_goods_issues",
    "find_invoice_by_shipment",
    "get_invoice",
    "find_invoices_of_shipments",
    "invoice_goods_issue",
    "invoice_pdf",
    "list_goods_issues",
    "list_valued_moves",
    "list_vat_codes",
    "load_demo",
    "moved_on_account",
    "net_of_references",
    "open_total",
    "post_journal_entry",
    "record_payment",
    "revenue_account",
    "save_exchange_rates",
    "set_up_books",
    "trial_balance",
    "value_stock_moves",
]


def invoice_goods_issue(issue: Mapping[str, Any]) -> dict[str, Any]:
    """Invoice a goods issue and post its cost, in one transaction; idempotent by ``shipment_id``.

    Args:
        issue: ``shipment_id``, ``shipment_number``, ``order_id``, ``order_number``, ``customer_id``, ``currency``,
            ``price_mode``, ``issued_on``, ``payment_method``, ``channel``, ``external_ref``, ``bill_to``,
            ``language`` and ``lines``: ``line_no``, ``order_line_no``, ``product_id``, ``sku``, ``name``,
            ``quantity``, ``unit_price``, ``discount``, ``vat_code``, ``vat_rate``, ``move_id``, ``move_seq``.

    Returns:
        ``id``, ``number``, ``kind``, ``issued_on``, ``currency``, totals, ``repeated``. For a customer with
        collective invoices ``id`` None, ``number`` empty and ``waiting``: see :func:`find_invoices_of_shipments`.

    Raises:
        MoveOutOfOrder: an earlier stock move of a product is not valued yet; call again later.
        Refused, ReaderUnavailable: no number was used.
    """
    return goods_issues.invoice_goods_issue(issue)


def credit_return(ret: Mapping[str, Any]) -> dict[str, Any]:
    """Credit a return and book its goods back, in one transaction; idempotent by ``return_id``.

    Args:
        ret: ``return_id``, ``return_number``, ``customer_id``, ``currency``, ``price_mode``, ``returned_on``,
            ``order_id``, ``order_number``, ``payment_method``, ``channel``, ``external_ref``, ``bill_to``,
            ``language``, ``reason`` and ``lines``: as of a goods issue with positive ``quantity``;
            ``order_id`` (default: the return's) and ``order_line_no`` link a line to what was invoiced, without them
            it is a credit without original; ``move_id`` and ``move_seq`` of goods that came back
            (``moved_quantity`` when fewer than credited).

    Returns:
        Like :func:`invoice_goods_issue`, of the first document; ``documents`` has all: one for each invoice
        that is changed, and one for lines without original.

    Raises:
        NotInvoicedYet, MoveOutOfOrder: call again later.
        CreditExceedsInvoice: more than was invoiced.
    """
    return crediting.credit_return(ret)


def value_stock_moves(moves: Sequence[Mapping[str, Any]], *, actor: Actor | None = None) -> list[int]:
    """Value and post stock moves at moving-average cost; idempotent by move id, all or nothing.

    Args:
        moves: ``move_id``, ``product_id``, ``move_seq``, ``kind`` (receipt, adjustment, scrap, transfer, issue,
            return), ``quantity`` signed, ``moved_on``; optional ``unit_cost`` (of receipts; in ``currency``,
            default base), ``document_kind`` (``opening…`` posts against the opening balance), ``document_id``,
            ``document_number``, ``reason``, ``contra_account``.

    Returns:
        Ids of the moves valued now.

    Raises:
        MoveOutOfOrder: an earlier move of a product is not valued yet; call again later.
    """
    return valuation.value_stock_moves(moves, actor)


def record_payment(data: Mapping[str, Any], *, actor: Actor, idempotency_key: str | None = None) -> dict[str, Any]:
    """Record a payment (negative: paid back), post it and settle documents; see ``services/payments.py``."""
    return payments.record_payment(data, actor=actor, idempotency_key=idempotency_key)


def refund_payment(
    payment_id: int, *, actor: Actor, amount: Decimal | None = None, method: str = "", key: str | None = None
) -> dict[str, Any]:
    """Pay back what a payment left on the customer's account, or a part of it; see ``services/refunds.py``."""
    return refunds.refund_payment(payment_id, actor=actor, amount=amount, method=method, key=key)


def post_journal_entry(data: Mapping[str, Any], *, actor: Actor, posting_key: str) -> dict[str, Any]:
    """Post one balanced entry, once per ``posting_key``; see ``services/posting.py``."""
    return posting.post_journal_entry(data, actor=actor, posting_key=posting_key)


def get_invoice(invoice_id: int) -> dict[str, Any]:
    """A document with lines, VAT summary and payment state. Raises NotFound."""
    return reading.get_invoice(invoice_id)


def open_total(invoice_id: int) -> Decimal:
    """What is still to be paid of a document, in its currency; negative: to be paid back. Raises NotFound."""
    return reading.open_total(invoice_id)


def find_invoice_by_shipment(shipment_id: int) -> dict[str, Any] | None:
    """The invoice of a shipment, None when it is not invoiced yet."""
    return reading.find_invoice_by_shipment(shipment_id)


def choose_vat_code(product_class: str, vat_status: str, country: str, on_date: date, default_code: str = "27") -> str:
    """VAT code of a line by product class, customer status, country and day; reads no table."""
    return vat_choice.choose_vat_code(product_class, vat_status, country, on_date, default_code)


def find_goods_issues(shipment_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Shipment id → ``number``, ``order_id``, ``pieces``, ``is_waiting``, ``is_collective``, of those Finance knows."""
    return issue_lookup.find_goods_issues(shipment_ids)


def list_goods_issues(after: int, limit: int) -> list[int]:
    """Shipments that Finance knows after an id, in order."""
    return issue_lookup.list_goods_issues(after, limit)


def find_invoices_of_shipments(shipment_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Shipment id → ``id`` and ``number`` of the collective invoice it stands on, for those that are invoiced."""
    return goods_issues.find_invoices_of_shipments(shipment_ids)


def invoice_pdf(invoice_id: int, language: str | None = None) -> bytes:
    """A document as a PDF in Hungarian or English (default: its own language); the same bytes every time.

    Raises NotFound.
    """
    return printing.invoice_pdf(invoice_id, language)


def list_vat_codes(on_date: date | None = None) -> list[dict[str, Any]]:
    """VAT codes in use (on a day), by code."""
    return reading.list_vat_codes(on_date)


def save_exchange_rates(rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter rates ``{currency, rate_on, rate, source}``: base currency for one unit, from that day on."""
    return rates.save_rates(rows)


def trial_balance(first: date, last: date) -> list[dict[str, Any]]:
    """Per account: ``opening``, ``debit``, ``credit``, ``balance`` for the days from first to last."""
    return balances.trial_balance(first, last)


def net_of_references(references: Sequence[str]) -> Decimal:
    """Net total, in the documents' currency, of all issued documents with these external references."""
    return reading.net_of_references(references)


def moved_on_account(posting_keys: Sequence[str], account: str) -> Decimal:
    """What entries with these posting keys moved on an account, in their currency; debit positive."""
    return reading.moved_on_account(posting_keys, account)


def list_valued_moves(product_id: int) -> list[dict[str, Any]]:
    """Stock moves of a product as they were when Finance valued them, by number.

    Each ``move_id``, ``product_id``, ``move_seq``, ``kind``, ``quantity``, ``unit_cost``, ``moved_on``,
    ``document_kind``, ``document_id``, ``document_number``.
    """
    return reading.list_valued_moves(product_id)


def books_difference() -> Decimal:
    """Sum of the whole ledger in base currency: zero, or the books are broken."""
    return reading.books_difference()


def books_problems(first: date, last: date) -> dict[str, list[str]]:
    """Sentences under ``chains``, ``subledgers`` and ``vat``: where the books of these days do not hold."""
    return soundness.books_problems(first, last)


def revenue_account(product_class: str, country: str, on_date: date) -> str:
    """Number of the revenue account that a sale of this class to this country is posted to."""
    return accounts.revenue(product_class, country, on_date)


def set_up_books(actor: Actor) -> dict[str, int]:
    """Chart of accounts, journals and VAT codes of a new installation; idempotent."""
    return books.set_up_books(actor)


def load_demo(actor: Actor) -> dict[str, int]:
    """Set up the books with round exchange rates for demonstrations; idempotent."""
    return demo.load_demo(actor)
