"""A customer's statement as CSV and PDF, in the customer's language."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings

from erp.formats import format_amount, format_date, format_money
from erp.pdf import Column, PdfDocument
from finance.services.customer_accounts import CurrencyAccount, CustomerStatement

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "hu": {
        "title": "Folyószámla-kivonat", "customer": "Vevő", "period": "Időszak", "day": "Nap", "document": "Bizonylat",
        "due": "Határidő", "amount": "Összeg", "balance": "Egyenleg", "opening": "Nyitó egyenleg ({})",
        "closing": "Záró egyenleg ({})", "open": "Nyitott tételek", "left": "Nyitott", "none": "Nincs nyitott tétel.",
        "invoice": "Számla", "advance": "Előlegszámla", "final": "Végszámla", "credit_note": "Jóváírás",
        "cancellation": "Sztornó", "credit_without_original": "Jóváírás", "correction": "Módosító számla",
        "payment": "Fizetés", "write_off": "Leírás",
    },
    "en": {
        "title": "Statement of account", "customer": "Customer", "period": "Period", "day": "Date",
        "document": "Document", "due": "Due", "amount": "Amount", "balance": "Balance", "opening": "Opening ({})",
        "closing": "Closing balance ({})", "open": "Open items", "left": "Open", "none": "Nothing is open.",
        "invoice": "Invoice", "advance": "Advance invoice", "final": "Final invoice", "credit_note": "Credit note",
        "cancellation": "Cancellation", "credit_without_original": "Credit note", "correction": "Correction",
        "payment": "Payment", "write_off": "Write-off",
    },
}  # fmt: skip


def ageing_csv(ageing: Sequence[Mapping[str, Any]]) -> str:
    """Rows of the ageing: customer, currency and the sums by days late."""
    out = io.StringIO(newline="")
    names = (
        "number", "name", "currency", "not_due", "days_30", "days_60", "days_90", "older", "unallocated", "total",
    )  # fmt: skip
    rows = csv.writer(out, delimiter=";")
    rows.writerow(names)
    rows.writerows([row[name] for name in names] for row in ageing)
    return out.getvalue()


def statement_csv(statement: CustomerStatement) -> str:
    """Rows of all currencies: date, kind, number, due, amount, balance, currency; first and last the balances."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, delimiter=";")
    rows.writerow(["date", "kind", "number", "due_on", "amount", "balance", "currency"])
    for account in statement.accounts:
        rows.writerow([statement.first, "opening", "", "", "", account.opening, account.currency])
        for m in account.moves:
            rows.writerow(
                [m["entry_on"], m["document_kind"], _plain(m["document_number"]), m["due_on"] or "", m["amount"],
                 m["balance"], account.currency]
            )  # fmt: skip
        rows.writerow([statement.last, "closing", "", "", "", account.closing, account.currency])
    return out.getvalue()


def _plain(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def statement_pdf(statement: CustomerStatement, language: str) -> bytes:
    """The statement to send to the customer; the same bytes for the same content."""
    language = "hu" if language == "hu" else "en"
    t, customer = _TEXTS[language], statement.customer
    period = f"{format_date(statement.first, language)} – {format_date(statement.last, language)}"
    pdf = PdfDocument(
        t["title"], customer.number, issuer=settings.COMPANY, language=language,
        made_at=datetime.combine(statement.last, time(), UTC),
    )  # fmt: skip
    city = f"{customer.postcode} {customer.city}".strip()
    pdf.parties((t["customer"], [customer.name, city, customer.street]), (t["period"], [period]))
    for account in statement.accounts:
        _account(pdf, account, language)
    pdf.note(t["open"])
    if not statement.open_items:
        pdf.note(t["none"])
        return pdf.content()
    columns = [
        Column(t["document"], 50),
        Column(t["due"], 30),
        Column(t["amount"], 40, "RIGHT"),
        Column(t["left"], 40, "RIGHT"),
    ]
    pdf.item_table(columns, [_open_row(row, language) for row in statement.open_items])
    return pdf.content()


def _account(pdf: PdfDocument, account: CurrencyAccount, language: str) -> None:
    t = _TEXTS[language]
    columns = [
        Column(t["day"], 24), Column(t["document"], 60), Column(t["due"], 24), Column(t["amount"], 32, "RIGHT"),
        Column(t["balance"], 32, "RIGHT"),
    ]  # fmt: skip
    opening = format_amount(account.opening, account.currency, language)
    rows = [["", t["opening"].format(account.currency), "", "", opening]]
    rows += [
        [
            format_date(m["entry_on"], language),
            f"{t.get(m['document_kind'], m['document_kind'])} {m['document_number']}",
            format_date(m["due_on"], language),
            format_amount(m["amount"], account.currency, language),
            format_amount(m["balance"], account.currency, language),
        ]
        for m in account.moves
    ]
    pdf.item_table(columns, rows)
    closing = format_money(account.closing, account.currency, language)
    pdf.totals([(t["closing"].format(account.currency), closing)])


def _open_row(row: Mapping[str, Any], language: str) -> list[str]:
    return [
        row["number"],
        format_date(row["due_on"], language),
        format_money(row["gross_total"], row["currency"], language),
        format_money(row["open"], row["currency"], language),
    ]
