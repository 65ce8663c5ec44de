"""New means of transport sold exempt within the Community (KBAUK): what the NAV wants to know of each.

It is given when the report is repaired, line by line, and kept with the report; changes of the invoice take it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.fields import load_json
from finance.errors import NotReportable
from finance.nav.transport_means import NEW_TRANSPORT, Aircraft, NewTransportMean, Vehicle, Vessel

KINDS = {"vehicle": "Vehicle", "vessel": "Vessel", "aircraft": "Aircraft"}
NEEDED = {"vehicle": ("size", "power", "used"), "vessel": ("size", "used"), "aircraft": ("size", "used")}
LABELS = {
    "size": "engine cm³, length m or weight kg",
    "power": "engine kW (vehicle)",
    "used": "kilometres, or hours used",
}

# A line of a change is about what the line that it changes was about.
_LINES = """
select l.id, l.line_no, l.name,
  coalesce(nullif(s.transport -> l.id::text, '{}'), b.transport -> l.original_line_id::text) as transport
from invoice_line l join vat_code c on c.code = l.vat_code join nav_submission s on s.invoice_id = l.invoice_id
left join nav_submission b on b.invoice_id = s.base_id
where l.invoice_id = %s and c.nav_value = %s order by l.line_no"""


def lines_to_describe(invoice_id: int) -> list[dict[str, Any]]:
    """Lines of a document that sell new means of transport: ``id``, ``line_no``, ``name``, ``transport`` as given."""
    with cursor("finance") as cur:
        cur.execute(_LINES, [invoice_id, NEW_TRANSPORT])
        rows = rows_as_dicts(cur)
    return [{**row, "transport": load_json(row["transport"]) or {}} for row in rows]


def mean_of(document: Mapping[str, Any], line: Mapping[str, Any]) -> NewTransportMean:
    """What a line sells, as it was given. Raises NotReportable with what is missing and where to give it."""
    given = document["transport"].get(str(line["id"])) or document["transport"].get(str(line["original_line_id"])) or {}
    kind = given.get("kind", "")
    lacks = [LABELS[name] for name in NEEDED.get(kind, ()) if not _is_number(given.get(name))]
    if kind not in KINDS or lacks:
        what = ", ".join(lacks) or "vehicle, vessel or aircraft, with its size and use"
        raise NotReportable(
            f"line {line['line_no']} sells a new means of transport ({line['vat_code']}), which the NAV wants "
            f"described; missing: {what}. Give it under Repair and report again"
        )
    size, used = Decimal(given["size"]), Decimal(given["used"])
    is_exempt = given.get("is_exempt") == "yes"
    made: Vehicle | Vessel | Aircraft
    if kind == "vehicle":
        made = Vehicle(size, Decimal(given["power"]), used)
    else:
        made = Vessel(size, is_exempt, used) if kind == "vessel" else Aircraft(size, is_exempt, used)
    first = given.get("first_used_on")
    return NewTransportMean(
        made, given.get("brand", ""), given.get("serial_number", ""), given.get("engine_number", ""),
        date.fromisoformat(first) if first else None,
    )  # fmt: skip


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and Decimal(text) >= 0
    except InvalidOperation:
        return False
