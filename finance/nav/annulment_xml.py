"""The InvoiceAnnulment XML: a request to annul a wrong report (never the invoice itself)."""

from datetime import UTC, datetime
from enum import StrEnum

from lxml import etree

from finance.nav.names import ANNUL
from finance.nav.xml_values import clean_text, new_root, to_bytes


class AnnulmentCode(StrEnum):
    """What was wrong in the report."""

    DATA = "ERRATIC_DATA"
    INVOICE_NUMBER = "ERRATIC_INVOICE_NUMBER"
    ISSUE_DATE = "ERRATIC_INVOICE_ISSUE_DATE"
    ELECTRONIC_HASH = "ERRATIC_ELECTRONIC_HASH_VALUE"


def build_annulment_xml(number: str, code: AnnulmentCode, reason: str, requested_at: datetime) -> bytes:
    """Return the annulment of the report of invoice `number`, UTF-8 with its XML declaration.

    `requested_at` is aware. Raises `ValueError` when the reason has no visible character.
    """
    text = clean_text(reason, 1024)
    if not text:
        raise ValueError("an annulment needs a reason")
    root = new_root("InvoiceAnnulment", ANNUL)
    stamp = requested_at.astimezone(UTC)
    for name, value in (
        ("annulmentReference", number),
        ("annulmentTimestamp", f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"),
        ("annulmentCode", str(code)),
        ("annulmentReason", text),
    ):
        etree.SubElement(root, f"{{{ANNUL}}}{name}").text = value
    return to_bytes(root)
