"""Changes of a draft that are operations: taking an advance off it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.errors import NotFound
from finance.errors import AdvanceExceeded, NotADraft
from finance.models import Invoice, InvoiceLine
from finance.serializers import InvoiceSerializer
from finance.services.advances import Advance, open_advances

_KEPT = (
    "product_id", "sku", "name", "quantity", "unit", "unit_price", "discount", "discount_percent", "vat_code",
    "vat_override_reason",
)  # fmt: skip


def deductible(draft: Invoice) -> list[Advance]:
    """Advances that a draft can take off: the customer's, in its currency, less what it takes off already."""
    taken: dict[tuple[int, str], Decimal] = {}
    for line in InvoiceLine.objects.filter(invoice=draft, advance_invoice__isnull=False):
        key = (line.advance_invoice_id or 0, line.vat_code)
        taken[key] = taken.get(key, Decimal(0)) - line.quantity * line.unit_price
    return [
        a
        for a in open_advances(draft.customer_id, draft.currency)
        if taken.get((a.invoice_id, a.vat_code), Decimal(0)) < a.amount(draft.price_mode)
    ]


def take_off_advances(draft_id: int, wanted: Sequence[Mapping[str, Any]], *, actor: Actor) -> int:
    """Add lines to a draft that take off advances; returns how many.

    Args:
        wanted: ``[{"invoice_id", "vat_code", "amount"}]``, the amount net or gross as the draft's prices.

    Raises:
        NotADraft; AdvanceExceeded: less is left of an advance.
    """
    draft = Invoice.objects.filter(pk=draft_id).first()
    if draft is None:
        raise NotFound(f"invoice {draft_id} does not exist")
    if draft.state != Invoice.State.DRAFT:
        raise NotADraft(f"{draft.number} is issued already")
    left = {(a.invoice_id, a.vat_code): a for a in deductible(draft)}
    lines: list[dict[str, Any]] = [
        {**{name: getattr(line, name) for name in _KEPT}, "advance_invoice": line.advance_invoice_id}
        for line in InvoiceLine.objects.filter(invoice=draft).order_by("line_no")
    ]
    lines += [_deduction(row, left, draft) for row in wanted]
    serializer = InvoiceSerializer(draft, data={"lines": lines}, partial=True, expected_version=draft.version)
    serializer.is_valid(raise_exception=True)
    serializer.save(actor=actor)
    return len(wanted)


def _deduction(row: Mapping[str, Any], left: Mapping[tuple[int, str], Advance], draft: Invoice) -> dict[str, Any]:
    advance = left.get((row["invoice_id"], row["vat_code"]))
    whole = advance.amount(draft.price_mode) if advance else Decimal(0)
    amount = Decimal(row["amount"])
    if advance is None or not 0 < amount <= whole:
        raise AdvanceExceeded(f"{whole} {draft.currency} of the advance can be taken off, not {amount}")
    return {
        "name": "Előleg beszámítása" if draft.language == "hu" else "Advance taken off", "quantity": 1,
        "unit_price": -amount, "vat_code": advance.vat_code, "advance_invoice": advance.invoice_id,
    }  # fmt: skip
