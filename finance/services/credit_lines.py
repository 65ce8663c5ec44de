"""The lines of a credit note: pieces of what was charged at their share, or lines without an original.

An invoice and its corrections are one chain: what a correction charged can be credited like the invoice's own lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound
from erp.money import round_money, vat_of
from finance.errors import CreditExceedsInvoice
from finance.services.accounts import base_currency
from finance.services.documents import Line

ZERO = Decimal(0)


@dataclass
class Original:
    """A line that charges, with what was taken back of it; running state while a document is drawn up."""

    id: int
    invoice_id: int
    root_id: int  # the invoice itself, also for a line of its corrections
    number: str  # of the document it is on
    issued_on: date  # the same
    original_line_id: int | None  # a correction's line: the one that it stands for
    order_id: int | None
    order_number: str
    delivered_on: date | None
    shipment_number: str
    order_line_no: int | None
    product_id: int | None
    sku: str
    name: str
    unit: str
    line_no: int
    quantity: int
    unit_price: Decimal
    discount: Decimal
    vat_code: str
    vat_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    move_id: int | None
    product_class: str
    advance_invoice_id: int | None
    base_net: Decimal | None
    base_vat: Decimal | None
    credited_quantity: int  # positive
    credited_net: Decimal
    credited_vat: Decimal
    credited_base_net: Decimal
    credited_base_vat: Decimal
    first_price: Decimal = ZERO  # of the invoice's own line, which a correction's line stands for

    @property
    def title(self) -> str:
        """How messages name it."""
        where = "" if self.invoice_id == self.root_id else f" of {self.number}"
        return f"Line {self.line_no}{where} ({self.name})"

    @property
    def open_quantity(self) -> int:
        """Pieces that can still be credited."""
        return self.quantity - self.credited_quantity

    def is_corrected(self, currency: str) -> bool:
        """Whether pieces were credited at another price."""
        return self.credited_net != round_money(self.net * self.credited_quantity / self.quantity, currency)


# Of a document that changes another only the lines that charge: new ones, and those with the sign of their original.
_ORIGINALS = """
select l.id, l.invoice_id, coalesce(i.original_id, i.id) as root_id, i.number, i.issued_on, l.original_line_id,
  coalesce(l.order_id, i.order_id) as order_id, l.order_number, l.delivered_on, l.shipment_number, l.order_line_no,
  l.product_id, l.sku,
  l.name, l.unit, l.line_no, l.quantity, l.unit_price, l.discount, l.vat_code, l.vat_rate, l.net, l.vat, l.gross,
  l.move_id, l.product_class, l.advance_invoice_id, l.base_net, l.base_vat,
  coalesce(-c.quantity, 0)::int as credited_quantity, coalesce(-c.net, 0) as credited_net,
  coalesce(-c.vat, 0) as credited_vat, coalesce(-c.base_net, 0) as credited_base_net,
  coalesce(-c.base_vat, 0) as credited_base_vat
from invoice i join invoice_line l on l.invoice_id = i.id left join invoice_line o on o.id = l.original_line_id
left join lateral (
  select sum(x.quantity) as quantity, sum(x.net) as net, sum(x.vat) as vat, sum(x.base_net) as base_net,
    sum(x.base_vat) as base_vat
  from invoice_line x where x.original_line_id = l.id and sign(x.quantity) <> sign(l.quantity)) c on true
where (i.id = any(%(ids)s::bigint[]) or i.original_id = any(%(ids)s::bigint[]))
  and (l.original_line_id is null or sign(l.quantity) = sign(o.quantity))
order by root_id, l.invoice_id, l.line_no"""


def originals_of(invoice_ids: Sequence[int]) -> list[Original]:
    """Lines of invoices and of their corrections; the caller has locked the invoices' settlements."""
    with cursor("finance") as cur:
        cur.execute(_ORIGINALS, {"ids": list(invoice_ids)})
        found = [Original(**row) for row in rows_as_dicts(cur)]
    by_id: dict[int | None, Original] = {o.id: o for o in found}
    for line in found:
        before = by_id.get(line.original_line_id)
        line.first_price = before.first_price if before else line.unit_price
    return found


def lines_named(originals: Sequence[Original], row: Mapping[str, Any]) -> list[Original]:
    """The lines of one chain that ``line_id`` (that one) or ``line_no`` means: the invoice's, then what stands for it.

    Raises:
        NotFound: there is none.
    """
    found: list[Original]
    if row.get("line_id"):
        found = [o for o in originals if o.id == row["line_id"]]
    else:
        found = [o for o in originals if o.invoice_id == o.root_id and o.line_no == row.get("line_no")]
        for line in found:  # grows while it is read: corrections of corrections
            found += [o for o in originals if o.original_line_id == line.id]
    if not found:
        raise NotFound(f"the invoice has no line {row.get('line_id') or row.get('line_no')}")
    return found


def take_from(
    candidates: Sequence[Original], pieces: int, currency: str, price_mode: str, unit_price: Decimal | None = None
) -> list[Line]:
    """Credit pieces of the first of several lines that has some left, then of the next.

    Raises:
        CreditExceedsInvoice: all of them together have less.
    """
    left, lines = pieces, []
    for original in candidates:
        part = min(left, original.open_quantity)
        if original is candidates[-1]:
            part = left  # what no line has left is refused with the last one's name
        if part:
            lines.append(take_pieces(original, part, currency, price_mode, unit_price))
            left -= part
    return lines


def take_pieces(
    original: Original, pieces: int, currency: str, price_mode: str, unit_price: Decimal | None = None
) -> Line:
    """Credit ``pieces`` of an original line.

    The amounts are the pieces' share of the original's, so that parts add up to the whole to the last unit. At
    another ``unit_price`` than was ever agreed they are computed from that price.

    Raises:
        CreditExceedsInvoice: more pieces, or a higher amount, than is left of the line.
    """
    if pieces > original.open_quantity:
        raise CreditExceedsInvoice(
            f"{original.title}: {original.open_quantity} can still be credited, "
            f"not {pieces}", line_no=original.line_no, open=original.open_quantity,
        )  # fmt: skip
    base: tuple[Decimal | None, Decimal | None] = (None, None)
    price = original.unit_price
    discount = round_money(original.discount * pieces / original.quantity, currency)
    if unit_price is None or unit_price in (original.unit_price, original.first_price):
        is_corrected = original.is_corrected(currency)
        net, vat = _share(original, pieces, currency)
        base = _base_share(original, pieces)
        if is_corrected:  # what is left per piece is the price that stands now
            price, discount = _price_of(net + vat if price_mode == "gross" else net, pieces), ZERO
    else:
        net, vat = _at_price(original, pieces, unit_price, currency, price_mode)
        price = unit_price
    original.credited_quantity += pieces
    original.credited_net += net
    original.credited_vat += vat
    original.credited_base_net += base[0] or ZERO
    original.credited_base_vat += base[1] or ZERO
    return Line(
        name=original.name, quantity=-pieces, unit_price=price, vat_code=original.vat_code,
        vat_rate=original.vat_rate, net=-net, vat=-vat, gross=-(net + vat), product_id=original.product_id,
        product_class=original.product_class, sku=original.sku, unit=original.unit,
        advance_invoice_id=original.advance_invoice_id, base_net=None if base[0] is None else -base[0],
        base_vat=None if base[1] is None else -base[1],
        discount=-discount,
        order_line_no=original.order_line_no, original_line_id=original.id,
    )  # fmt: skip


def _price_of(amount: Decimal, pieces: int) -> Decimal:
    return (amount / pieces).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _share(original: Original, pieces: int, currency: str) -> tuple[Decimal, Decimal]:
    credited = original.credited_quantity
    net = _part(original.net, original.credited_net, credited, pieces, original.quantity, currency)
    vat = _part(original.vat, original.credited_vat, credited, pieces, original.quantity, currency)
    return net, vat


def _base_share(original: Original, pieces: int) -> tuple[Decimal | None, Decimal | None]:
    """The pieces' share in base currency as the original was posted; None for documents that did not keep it."""
    if original.base_net is None or original.base_vat is None:
        return None, None
    credited, currency = original.credited_quantity, base_currency()
    net = _part(original.base_net, original.credited_base_net, credited, pieces, original.quantity, currency)
    vat = _part(original.base_vat, original.credited_base_vat, credited, pieces, original.quantity, currency)
    return net, vat


def _part(whole: Decimal, taken: Decimal, credited: int, pieces: int, quantity: int, currency: str) -> Decimal:
    def share(count: int) -> Decimal:
        return round_money(whole * count / quantity, currency)

    if taken == share(credited):
        return share(credited + pieces) - taken
    # Pieces were credited at another price: these go at their own share, at most at their share of what is left.
    left = round_money((whole - taken) * pieces / (quantity - credited), currency)
    return min(share(pieces), left, key=abs)


def _at_price(
    original: Original, pieces: int, unit_price: Decimal, currency: str, price_mode: str
) -> tuple[Decimal, Decimal]:
    amount = round_money(unit_price * pieces, currency)
    left = original.vat - original.credited_vat  # of a line that kept a residual less than its own rounded VAT
    vat = min(vat_of(amount, original.vat_rate, currency, price_mode), left, key=abs)
    net = amount - vat if price_mode == "gross" else amount
    if abs(original.credited_net + net) > abs(original.net):
        raise CreditExceedsInvoice(
            f"{original.title}: {original.net - original.credited_net} net can still be "
            f"credited, not {net}", line_no=original.line_no,
        )  # fmt: skip
    return net, vat


def as_credit(line: Line) -> Line:
    """A priced line without original with its signs turned."""
    return replace(
        line, quantity=-line.quantity, net=-line.net, vat=-line.vat, gross=-line.gross, discount=-line.discount
    )


def gross_by_invoice(lines: Sequence[Line], originals: Mapping[int, Original]) -> dict[int, Decimal]:
    """Credited gross (positive) per original invoice."""
    found: dict[int, Decimal] = {}
    for line in lines:
        if line.original_line_id is not None:
            invoice_id = originals[line.original_line_id].root_id
            found[invoice_id] = found.get(invoice_id, ZERO) - line.gross
    return found
