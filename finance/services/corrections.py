"""Corrections of an issued invoice in one document: price, quantity, VAT code, or another product instead.

What was charged wrongly is taken back, what is right is charged, each line linked to the one it corrects. The
document's amounts are the difference: more to be paid, or less. What it charges can be credited and corrected in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp import idempotency
from erp.actor import Actor
from erp.db import retrying
from erp.money import round_money
from finance.errors import NotCorrectable
from finance.models import Invoice, VatCode
from finance.services.changes import change_of, day_of_change, lock_original
from finance.services.credit_lines import Original, lines_named, take_from
from finance.services.customers import due_date, get_customer
from finance.services.discounts import discounted
from finance.services.document_data import as_date, issued_summary, line_of
from finance.services.documents import Document, Line, priced, sum_of
from finance.services.invoicing import lines_with_codes
from finance.services.issuing import begin_issue, issue
from finance.services.offsetting import offset_credit
from finance.services.sources import Sources, sources_of

ZERO = Decimal(0)


def correct_invoice(
    invoice_id: int, data: Mapping[str, Any], *, actor: Actor, key: str | None = None
) -> dict[str, Any]:
    """Issue a correction of an invoice; a repeat with the same key gives the same one.

    Args:
        data: ``lines`` that are wrong, each named by ``line_no`` (or ``line_id``, also of an earlier correction):
            ``pieces`` (all that are left unless given) have in truth the ``quantity``, ``unit_price`` and ``vat_code``
            that are given; 0 takes them back. ``added``: lines that were missing, as of an invoice by hand.
            Optional ``reason``, ``issued_on``, ``due_on`` (of a difference to be paid: by the customer's terms).

    Raises:
        NotCorrectable: nothing would change, or not by a correction; the message says what to do instead.
        NotCreditable: the document is no issued invoice; CreditExceedsInvoice: fewer pieces are left of a line.
        DatedBeforeOriginal: ``issued_on`` lies before what it corrects.
    """

    def run() -> dict[str, Any]:
        begin_issue(f"credit:{invoice_id}")
        return _correct(invoice_id, data, actor)

    if key is None:
        return retrying("finance", run)
    body = {"invoice_id": invoice_id, **data}
    answer: dict[str, Any] = idempotency.once("finance", key, "correction", idempotency.hash_request(body), run)[0]
    return answer


def _correct(invoice_id: int, data: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    original, charged = lock_original(invoice_id)
    if not any(o.open_quantity for o in charged):
        raise NotCorrectable(f"{original.number} is credited in full; issue a new invoice")
    document = _draw_up(original, charged, data)
    gross = sum_of(x.gross for x in document.lines)
    settle = None
    if gross < 0:
        settle = lambda new_id: offset_credit(new_id, {original.pk: -gross})  # noqa: E731
    return issued_summary(issue(document, actor=actor, settle=settle), document)


def _draw_up(original: Invoice, charged: Sequence[Original], data: Mapping[str, Any]) -> Document:
    added = list(data.get("added") or ())
    if added and original.kind == Invoice.Kind.ADVANCE:
        raise NotCorrectable("An advance is added to by another advance invoice")
    sources = sources_of(original.customer_id, [o.product_id for o in charged] + [x.get("product_id") for x in added])
    draft = _Draft(original, charged, sources, data.get("reason") or "")
    for row in data.get("lines") or ():
        draft.correct(row)
    for row in added:
        draft.add(row)
    if not draft.back and not draft.charged_anew:
        raise NotCorrectable("Nothing would change: give the right quantity, price or VAT code of a line")
    lines = draft.lines()
    wanted = as_date(data["issued_on"]) if data.get("issued_on") else None
    issued_on = day_of_change(original, charged, lines, wanted)
    due_on = issued_on
    if sum_of(x.gross for x in lines) > 0:
        due_on = due_date(get_customer(original.customer_id), issued_on, original.payment_method)
    return change_of(
        original, Invoice.Kind.CORRECTION, lines, issued_on, as_date(data.get("due_on") or due_on), draft.reason
    )


class _Draft:
    """The lines of a correction while they are put together."""

    def __init__(self, original: Invoice, charged: Sequence[Original], sources: Sources, reason: str) -> None:
        self.original, self.all, self.sources, self.reason = original, charged, sources, reason
        self.currency, self.mode = original.currency, original.price_mode
        self.day = original.fulfilled_on or original.issued_on or timezone.now().date()
        self.back: list[tuple[int, Line]] = []
        self.charged_anew: list[tuple[int, Line]] = []

    def lines(self) -> list[Line]:
        """All lines, what is taken back before what is charged instead; the new ones priced."""
        anew = priced([line for _, line in self.charged_anew], self.currency, self.mode) if self.charged_anew else []
        numbered = [*self.back, *((n, line) for (n, _), line in zip(self.charged_anew, anew, strict=True))]
        return [line for _, line in sorted(numbered, key=lambda pair: pair[0])]

    def correct(self, row: Mapping[str, Any]) -> None:
        """Pieces of a line as they should have been charged."""
        named = [o for o in lines_named(self.all, row) if o.open_quantity]
        pieces = row.get("pieces")
        pieces = sum(o.open_quantity for o in named) if pieces is None else int(pieces)
        if not named:
            raise NotCorrectable(f"{lines_named(self.all, row)[0].title} is credited in full; add a line instead")
        right = pieces if row.get("quantity") is None else int(row["quantity"])
        line = named[-1]
        price = Decimal(row["unit_price"]) if row.get("unit_price") is not None else None
        code = row.get("vat_code") or None
        is_other = any(
            (price is not None and price != o.unit_price) or (code is not None and code != o.vat_code) for o in named
        )
        if line.advance_invoice_id is not None:
            raise NotCorrectable(f"{line.title} takes off an advance: credit the line, and take off anew")
        if is_other and right:
            self._replace(named, pieces, right, price, code, row)
        elif right < pieces:
            self._take_back(list(reversed(named)), pieces - right)
        elif right > pieces:
            self._charge(line, right - pieces, line.unit_price, _share(line, right - pieces, self.currency), code, row)

    def add(self, row: Mapping[str, Any]) -> None:
        """A line that was missing, or is delivered instead of another."""
        (full,) = lines_with_codes([{**row, "vat_override_reason": self._why(row)}], self.sources, self.day)
        product = self.sources.products.get(row.get("product_id") or 0)
        line = line_of(full, product)
        delivered_on = self.day if self.original.is_collective else None
        (line,), _ = discounted([replace(line, delivered_on=delivered_on)], self.currency)
        self.charged_anew.append((self._next(), line))

    def _replace(
        self, named: Sequence[Original], pieces: int, right: int, price: Decimal | None, code: str | None,
        row: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if price is None and len({o.unit_price for o in named}) > 1:
            raise NotCorrectable(
                f"The pieces of line {named[0].line_no} ({named[0].name}) stand at different prices: "
                "give the right price, or name one of them by its line_id"
            )
        before = len(self.back)
        self._take_back(_wrong_first(named, price, code), pieces)
        taken = [line for _, line in self.back[before:]]
        discount = ZERO
        if price is None:
            discount = round_money(-sum_of(x.discount for x in taken) * right / pieces, self.currency)
        first = next(o for o in named if o.id == taken[0].original_line_id)
        self._charge(first, right, named[0].unit_price if price is None else price, discount, code, row, first.move_id)

    def _take_back(self, named: Sequence[Original], pieces: int) -> None:
        for line in take_from(named, pieces, self.currency, self.mode):
            self.back.append((self._next(), line))

    def _charge(
        self, of: Original, quantity: int, price: Decimal, discount: Decimal, code: str | None, row: Mapping[str, Any],
        move_id: int | None = None,
    ) -> None:  # fmt: skip
        vat: dict[str, Any] = {"vat_code": of.vat_code, "vat_rate": of.vat_rate, "vat_override_reason": ""}
        if code and code != of.vat_code:
            vat = self._vat(of, code, row)
        line = Line(
            name=of.name, quantity=quantity, unit_price=price, discount=discount, product_id=of.product_id,
            product_class=of.product_class, sku=of.sku, unit=of.unit, order_line_no=of.order_line_no,
            original_line_id=of.id, move_id=move_id, delivered_on=of.delivered_on, order_id=of.order_id,
            order_number=of.order_number, shipment_number=of.shipment_number, **vat,
        )  # fmt: skip
        self.charged_anew.append((self._next(), line))

    def _vat(self, of: Original, code: str, row: Mapping[str, Any]) -> dict[str, Any]:
        if VatCode.objects.filter(code__in=[code, of.vat_code], category="margin").exists():
            raise NotCorrectable(
                f"{of.title}: the VAT of the margin scheme depends on the cost of the goods, so no correction turns "
                f"{of.vat_code} into {code}: cancel {self.original.number}, or credit the line, and issue the sale anew"
            )
        wanted = {
            "name": of.name, "product_id": of.product_id, "vat_code": code, "vat_override_reason": self._why(row)
        }  # fmt: skip
        (found,) = lines_with_codes([wanted], self.sources, self.day)
        return {name: found[name] for name in ("vat_code", "vat_rate", "vat_override_reason")}

    def _why(self, row: Mapping[str, Any]) -> str:
        return str(row.get("vat_override_reason") or self.reason)

    def _next(self) -> int:
        return len(self.back) + len(self.charged_anew)


def _wrong_first(named: Sequence[Original], price: Decimal | None, code: str | None) -> list[Original]:
    """Pieces that stand as they should already are the last to be replaced."""
    return sorted(named, key=lambda o: (price is None or price == o.unit_price) and code in (None, o.vat_code))


def _share(line: Original, pieces: int, currency: str) -> Decimal:
    """The discount that further pieces of a line get: as its own pieces did."""
    return round_money(line.discount * pieces / line.quantity, currency)
