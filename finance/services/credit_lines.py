"""The lines of a credit note: pieces of original lines at their share, or lines without an original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.money import round_money, vat_of
from finance.errors import CreditExceedsInvoice
from finance.services.accounts import base_currency
from finance.services.documents import Line

ZERO = Decimal(0)


@dataclass
class Original:
    """An invoice line with what was credited of it; running state while a credit note is drawn up."""

    id: int
    invoice_id: int
    order_id: int | None
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

    @property
    def open_quantity(self) -> int:
        """Pieces that can still be credited."""
        return self.quantity - self.credited_quantity

    def is_corrected(self, currency: str) -> bool:
        """Whether pieces were credited at another price, or the price of the line was corrected."""
        return self.credited_net != round_money(self.net * self.credited_quantity / self.quantity, currency)


_ORIGINALS = """
select l.id, l.invoice_id, coalesce(l.order_id, i.order_id) as order_id, l.order_line_no, l.product_id, l.sku,
  l.name, l.unit, l.line_no, l.quantity, l.unit_price, l.discount, l.vat_code, l.vat_rate, l.net, l.vat, l.gross,
  l.move_id, l.product_class, l.advance_invoice_id, l.base_net, l.base_vat,
  coalesce(-c.quantity, 0)::int as credited_quantity, coalesce(-c.net, 0) as credited_net,
  coalesce(-c.vat, 0) as credited_vat, coalesce(-c.base_net, 0) as credited_base_net,
  coalesce(-c.base_vat, 0) as credited_base_vat
from invoice_line l join invoice i on i.id = l.invoice_id
left join lateral (
  select sum(x.quantity) as quantity, sum(x.net) as net, sum(x.vat) as vat, sum(x.base_net) as base_net,
    sum(x.base_vat) as base_vat
  from invoice_line x where x.original_line_id = l.id) c on true
where i.id = any(%s::bigint[]) order by l.invoice_id, l.line_no"""


def originals_of(invoice_ids: Sequence[int]) -> list[Original]:
    """Lines of invoices with what is credited of them; the caller has locked the invoices' settlements."""
    with cursor("finance") as cur:
        cur.execute(_ORIGINALS, [list(invoice_ids)])
        return [Original(**row) for row in rows_as_dicts(cur)]


def take_pieces(
    original: Original, pieces: int, currency: str, price_mode: str, unit_price: Decimal | None = None
) -> Line:
    """Credit ``pieces`` of an original line.

    The amounts are the pieces' share of the original's, so that parts add up to the whole to the last unit. At
    another ``unit_price`` than the original's they are computed from that price.

    Raises:
        CreditExceedsInvoice: more pieces, or a higher amount, than is left of the line.
    """
    if pieces > original.open_quantity:
        raise CreditExceedsInvoice(
            f"Line {original.line_no} ({original.name}): {original.open_quantity} can still be credited, "
            f"not {pieces}", line_no=original.line_no, open=original.open_quantity,
        )  # fmt: skip
    base: tuple[Decimal | None, Decimal | None] = (None, None)
    price = original.unit_price
    discount = round_money(original.discount * pieces / original.quantity, currency)
    if unit_price is None or unit_price == original.unit_price:
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
    # Pieces were credited at another price, or their price was corrected: these go at their own share, at most at
    # their share of what is left.
    left = round_money((whole - taken) * pieces / (quantity - credited), currency)
    return min(share(pieces), left, key=abs)


def _at_price(
    original: Original, pieces: int, unit_price: Decimal, currency: str, price_mode: str
) -> tuple[Decimal, Decimal]:
    amount = round_money(unit_price * pieces, currency)
    vat = vat_of(amount, original.vat_rate, currency, price_mode)
    net = amount - vat if price_mode == "gross" else amount
    if abs(original.credited_net + net) > abs(original.net):
        raise CreditExceedsInvoice(
            f"Line {original.line_no} ({original.name}): {original.net - original.credited_net} net can still be "
            f"credited, not {net}", line_no=original.line_no,
        )  # fmt: skip
    return net, vat


def as_credit(line: Line) -> Line:
    """A priced line without original with its signs turned."""
    return replace(
        line, quantity=-line.quantity, net=-line.net, vat=-line.vat, gross=-line.gross, discount=-line.discount
    )


def gross_by_invoice(lines: Sequence[Line], originals: Mapping[int, Any]) -> dict[int, Decimal]:
    """Credited gross (positive) per original invoice."""
    found: dict[int, Decimal] = {}
    for line in lines:
        if line.original_line_id is not None:
            invoice_id = originals[line.original_line_id].invoice_id
            found[invoice_id] = found.get(invoice_id, ZERO) - line.gross
    return found
