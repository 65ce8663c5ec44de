"""Builds order lines and invoices for the tests, with defaults for what a test does not care about."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from storefront.services.replay.rules import Invoice, read_invoice
from storefront.services.replay.source import HEADER, Record

DATA = Path(__file__).parents[2] / "data" / "online-retail"
EXCERPT = DATA / "excerpt.csv"


def record(  # noqa: PLR0913 - one argument per column
    invoice_no: str = "536365",
    stock_code: str = "85123A",
    quantity: int | str = 6,
    unit_price: str = "2.55",
    *,
    line: int = 2,
    description: str = "WHITE HANGING HEART T-LIGHT HOLDER",
    invoice_date: str = "2010-12-01 08:26:00",
    customer_id: str = "17850",
    country: str = "United Kingdom",
) -> Record:
    """Return one order line."""
    return Record(
        line, invoice_no, stock_code, description, str(quantity), invoice_date, unit_price, customer_id, country
    )


def invoice(*records: Record) -> Invoice:
    """Return the invoice of these lines."""
    return read_invoice(records)


def csv_text(*records: Record) -> str:
    """Return a file with a header and these lines."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(each[1:] for each in records)
    return text.getvalue()
