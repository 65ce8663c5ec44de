"""The ledger's side of a reconciliation: what is posted of each document, per VAT code and as owed by the customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import DOCUMENT_KINDS
from finance.services import accounts
from finance.services.vat_by_hand import vat_by_hand

ZERO = Decimal(0)

Amounts = dict[str, tuple[Decimal, Decimal]]
"""VAT code → net and VAT."""

# Lines without a document of ours count by the day they were posted.
_LEDGER = """
select coalesce(i.id, 0) as id, l.vat_code, -sum(l.amount) filter (where l.account = %(vat)s) as vat,
  -sum(l.amount) filter (where l.account <> %(vat)s) as net,
  -sum(l.document_amount) filter (where l.account = %(vat)s) as document_vat,
  -sum(l.document_amount) filter (where l.account <> %(vat)s) as document_net
from journal_line l
left join invoice i on i.id = l.document_id and l.document_kind = any(%(kinds)s) and i.state = 'issued'
where l.vat_code <> '' and l.document_kind = any(%(kinds)s)
  and coalesce(i.issued_on, l.entry_on) between %(first)s and %(last)s
  and (%(numbers)s::text[] is null or i.number = any(%(numbers)s::text[]))
group by 1, 2"""

# What the document's own entry posts beside revenue and VAT: the receivable, or an exchange difference instead.
_OWED = """
select i.id, sum(l.amount) as amount, sum(l.document_amount) as document_amount
from invoice i join journal_entry e on e.posting_key = 'invoice:' || i.id
join journal_line l on l.entry_id = e.id and l.vat_code = ''
where i.state = 'issued' and i.issued_on between %(first)s and %(last)s
  and (%(numbers)s::text[] is null or i.number = any(%(numbers)s::text[]))
group by i.id"""


@dataclass
class Booked:
    """Per document, in HUF and in its currency; key 0 holds lines that no issued document stands behind."""

    amounts: dict[int, Amounts] = field(default_factory=dict)
    native: dict[int, Amounts] = field(default_factory=dict)
    owed: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)  # in HUF, in the document's currency
    entries: dict[int, Amounts] = field(default_factory=dict)  # by journal entry: VAT posted by hand, its net left 0


def ledger_of(period: Mapping[str, Any], of_code: Mapping[str, str]) -> Booked:
    """What is posted of the documents of a period (``first``, ``last``, ``numbers`` or None); codes by their names."""
    values = {"vat": accounts.OUTPUT_VAT, "kinds": list(DOCUMENT_KINDS), **period}
    with cursor("finance") as cur:
        cur.execute(_LEDGER, values)
        rows = rows_as_dicts(cur)
        cur.execute(_OWED, values)
        owed = {row["id"]: (row["amount"], row["document_amount"]) for row in rows_as_dicts(cur)}
    by_hand = [] if period.get("numbers") is not None else vat_by_hand(period["first"], period["last"])
    booked = Booked(owed=owed)
    for row in by_hand:
        if row["code"]:  # what has none is in no return either: closing and check 9 name it
            of_entry = booked.entries.setdefault(row["entry_id"], {})
            of_entry[of_code.get(row["code"], row["code"])] = (ZERO, -row["owed"])
    for row in rows:
        code = of_code.get(row["vat_code"], row["vat_code"])
        for sums, net, vat in ((booked.amounts, "net", "vat"), (booked.native, "document_net", "document_vat")):
            of_document = sums.setdefault(row["id"], {})
            before = of_document.get(code, (ZERO, ZERO))
            of_document[code] = (before[0] + (row[net] or ZERO), before[1] + (row[vat] or ZERO))
    return booked
