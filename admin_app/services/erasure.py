"""Erasing a person (GDPR): the master's personal fields are overwritten, everywhere, and so is its history.

Issued documents keep what law demands; they are Finance's and are not touched.
"""

from __future__ import annotations

from typing import Any

from admin_app.models import Customer, InvoiceCopy
from admin_app.serializers import CustomerSerializer
from erp.actor import Actor
from erp.db import cursor, retrying
from erp.errors import NotFound, Refused
from erp.fields import dump_json

ERASED: dict[str, Any] = {
    "email": None, "phone": "", "tax_number": "", "vat_status": Customer.VatStatus.PRIVATE, "postcode": "", "city": "",
    "street": "", "external_ref": None, "note": "",
}  # fmt: skip


def erase_customer(customer_id: int, *, actor: Actor | None = None) -> dict[str, int]:
    """Overwrite a customer's personal data in the master, in every copy and in the change journal, and retire it.

    One transaction of Admin: two versions (overwritten, retired), confirmed by every attached reader. A repeat
    overwrites again and changes nothing that can be seen.

    Returns:
        ``{"version", "journal_rows"}``.

    Raises:
        NotFound: there is no such customer.
        Refused: the customer has unpaid invoices, whose collection needs the data.
        ReaderUnavailable: a reader did not confirm; nothing has changed.
    """

    def run() -> dict[str, int]:
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise NotFound(f"customer {customer_id} does not exist")
        unpaid = list(
            InvoiceCopy.objects.filter(
                customer_id=customer_id,
                kind__in=("invoice", "advance", "final", "correction"),
                gross_total__gt=0,
                payment_state__in=("open", "partly_paid"),
            ).values_list("number", flat=True)[:5]
        )
        if unpaid:
            raise Refused(f"{customer.number} has unpaid invoices: {', '.join(unpaid)}", invoices=unpaid)
        values = {**ERASED, "name": f"Erased {customer.number}"}
        serializer = CustomerSerializer(customer, data={**values, "addresses": []}, partial=True)
        serializer.is_valid(raise_exception=True)
        retired = CustomerSerializer(serializer.save(actor=actor)).retire(actor=actor)
        with cursor("admin_app") as cur:
            cur.execute("select redact_journal('customer', %s, %s)", [customer_id, dump_json(values)])
            return {"version": retired.version, "journal_rows": cur.fetchone()[0]}

    return retrying("admin_app", run)
