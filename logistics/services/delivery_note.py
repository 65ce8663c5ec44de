"""The delivery note of a shipment, in the customer's language."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound, Refused
from erp.formats import format_date, format_number
from erp.pdf import Column, PdfDocument
from logistics.models import CustomerCopy, Shipment

_TEXTS = {
    "en": {
        "title": "Delivery note", "to": "Deliver to", "from": "Sent from", "order": "Order", "on": "Date of issue",
        "carrier": "Carrier", "tracking": "Tracking number", "parcels": "Parcels", "weight": "Weight",
        "sku": "Item no.", "name": "Description", "ordered": "Ordered", "here": "In this delivery",
        "later": "To follow", "unit": "Unit", "planned": "not issued yet",
        "rest": "What is marked “To follow” comes in a further delivery.", "given": "Handed over by",
        "taken": "Received by (name, date, signature)",
    },
    "hu": {
        "title": "Szállítólevél", "to": "Szállítási cím", "from": "Feladó raktár", "order": "Rendelés",
        "on": "Kiállítás kelte", "carrier": "Szállító", "tracking": "Csomagszám", "parcels": "Csomagok száma",
        "weight": "Tömeg", "sku": "Cikkszám", "name": "Megnevezés", "ordered": "Rendelt",
        "here": "Ezzel szállítva", "later": "Később érkezik", "unit": "Egység", "planned": "még nincs kiadva",
        "rest": "A „Később érkezik” oszlopban álló mennyiséget külön szállítjuk.", "given": "Átadta",
        "taken": "Átvette (név, dátum, aláírás)",
    },
}  # fmt: skip

_UNITS = {"hu": {"pcs": "db"}, "en": {}}

_LINES = """
select d.sku, d.name, d.quantity, l.quantity - l.cancelled as ordered, coalesce(p.unit, 'pcs') as unit,
  greatest(0, l.quantity - l.cancelled - coalesce((
    select sum(e.quantity) from shipment_line e join shipment f on f.id = e.shipment_id
    where e.order_line_id = l.id and f.id <= s.id and f.state <> 'cancelled'), 0))::int as later
from shipment_line d join shipment s on s.id = d.shipment_id join sales_order_line l on l.id = d.order_line_id
left join product_copy p on p.id = d.product_id
where d.shipment_id = %s and d.is_stocked order by d.order_line_no"""


def delivery_note(shipment_id: int, language: str = "") -> tuple[str, bytes]:
    """Make the PDF of a shipment's delivery note.

    Args:
        language: ``hu`` or ``en``; empty: the customer's.

    Returns:
        (file name, PDF). The same shipment gives the same bytes until something of it changes.
    """
    found = Shipment.objects.select_related("order", "warehouse").filter(pk=shipment_id).first()
    if found is None:
        raise NotFound(f"There is no shipment {shipment_id}")
    if found.state == Shipment.State.CANCELLED:
        raise Refused(f"Shipment {found.number} was taken back; it has no delivery note")
    language = language or _language(found.order.customer_id)
    texts = _TEXTS["hu" if language == "hu" else "en"]
    note = PdfDocument(
        texts["title"], found.number, issuer=settings.COMPANY, language=language,
        made_at=found.issued_at or found.packed_at or found.created_at,
    )  # fmt: skip
    _write(note, found, texts)
    return f"{found.number}.pdf", note.content()


def _language(customer_id: int) -> str:
    known = CustomerCopy.objects.filter(pk=customer_id).values_list("language", flat=True).first()
    return known or "en"


def _address(place: Any) -> list[str]:
    city = f"{place.get('postcode') or ''} {place.get('city') or ''}".strip()
    return [city, place.get("street") or "", place.get("country") or ""]


def _write(note: PdfDocument, shipment: Shipment, texts: dict[str, str]) -> None:
    order, place, language = shipment.order, shipment.warehouse, note.language
    to = {"country": order.country, **(order.ship_to or order.bill_to)}
    place_address = {"postcode": place.postcode, "city": place.city, "street": place.street, "country": place.country}
    note.parties(
        (texts["to"], [to.get("name") or order.customer_name, *_address(to), to.get("phone") or ""]),
        (texts["from"], [f"{place.name} ({place.code})", *_address(place_address)]),
    )
    kg = format_number(shipment.weight_g, language) + " g" if shipment.weight_g else ""
    note.facts(
        [
            (texts["order"], order.number),
            (texts["on"], format_date(shipment.issued_on, language) or texts["planned"]),
            (texts["carrier"], shipment.carrier), (texts["tracking"], shipment.tracking_number),
            (texts["parcels"], str(shipment.parcels)), (texts["weight"], kg),
        ]
    )  # fmt: skip
    rows = _rows(shipment.pk)
    note.item_table(_columns(texts), [_row(row, language) for row in rows])
    if any(row["later"] for row in rows):
        note.note(texts["rest"])
    note.signatures(texts["given"], texts["taken"])


def _columns(texts: dict[str, str]) -> list[Column]:
    return [
        Column(texts["sku"], 3), Column(texts["name"], 7), Column(texts["unit"], 1.4),
        *[Column(texts[name], 2, "RIGHT") for name in ("ordered", "here", "later")],
    ]  # fmt: skip


def _rows(shipment_id: int) -> list[dict[str, Any]]:
    with cursor("logistics") as cur:
        cur.execute(_LINES, [shipment_id])
        return rows_as_dicts(cur)


def _row(row: dict[str, Any], language: str) -> list[str]:
    unit = _UNITS[language].get(row["unit"], row["unit"])
    figures = [format_number(row[name], language) for name in ("ordered", "quantity", "later")]
    return [row["sku"], row["name"], unit, *figures]
