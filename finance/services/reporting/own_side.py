"""Finance's own side of a reconciliation: what documents say and what the ledger holds of each, per VAT code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.fields import load_json
from erp.money import round_money
from finance.clearing_checks import DOCUMENT_KINDS
from finance.models import VatCode
from finance.nav.vat import VatKey
from finance.services import accounts
from finance.services.reporting.documents import vat_treatments

ZERO = Decimal(0)

_DOCUMENTS = """
select i.id, i.number, i.vat_summary, i.net_total, i.vat_total, i.base_net_total, i.base_vat_total,
  coalesce(s.state, 'no report') as state, coalesce(s.messages, '[]') as messages, s.due_at,
  coalesce(s.due_at < clock_timestamp(), true) as is_late, l.sums as lines
from invoice i left join nav_submission s on s.invoice_id = i.id
left join lateral (
  select jsonb_object_agg(x.vat_code, jsonb_build_array(x.net, x.vat)) as sums from (
    select l.vat_code, sum(l.net) as net, sum(l.vat) as vat from invoice_line l where l.invoice_id = i.id
    group by l.vat_code) x) l on true
where i.state = 'issued' and i.issued_on between %s and %s order by i.id"""

# Lines without a document of ours count by the day they were posted.
_LEDGER = """
select coalesce(i.id, 0) as id, l.vat_code, -sum(l.amount) filter (where l.account = %(vat)s) as vat,
  -sum(l.amount) filter (where l.account <> %(vat)s) as net
from journal_line l
left join invoice i on i.id = l.document_id and l.document_kind = any(%(kinds)s) and i.state = 'issued'
where l.vat_code <> '' and l.document_kind = any(%(kinds)s)
  and coalesce(i.issued_on, l.entry_on) between %(first)s and %(last)s
group by 1, 2"""


@dataclass(frozen=True)
class VatMap:
    """VAT codes by the key under which the NAV knows them; codes that it knows as one have one name."""

    names: Mapping[VatKey, str]
    of_code: Mapping[str, str]
    rates: Mapping[str, Decimal]  # percent, by name

    def code_of(self, key: VatKey) -> str:
        """The code's name; what no code of ours has is named as the NAV does."""
        return self.names.get(key) or " ".join(part for part in key if part)

    def inside(self, gross: Decimal, name: str) -> tuple[Decimal, Decimal]:
        """Net and VAT of a gross amount in HUF."""
        rate = self.rates.get(name, ZERO)
        vat = round_money(gross * rate / (100 + rate), "HUF")
        return gross - vat, vat


def vat_map() -> VatMap:
    """The VAT codes of this installation."""
    rates = dict(VatCode.objects.values_list("code", "rate"))
    by_key: dict[VatKey, list[str]] = {}
    treatments = vat_treatments()
    for code, vat in treatments.items():
        by_key.setdefault(vat.key, []).append(code)
    shared = {key: "+".join(sorted(codes)) for key, codes in by_key.items()}
    of_code = {code: shared[vat.key] for code, vat in treatments.items()}
    names = dict(shared)
    for code, vat in treatments.items():
        if vat.content:
            names[vat.simplified().key] = of_code[code]
    return VatMap(names, of_code, {of_code.get(code, code): rate for code, rate in rates.items()})


@dataclass
class OwnDocument:
    """An issued document: what it says per VAT code in HUF, and how far its report has come."""

    id: int
    number: str
    state: str
    is_late: bool
    due_at: datetime | None
    messages: list[Any]
    amounts: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)


def own_documents(first: date, last: date, codes: VatMap) -> Iterator[OwnDocument]:
    """Documents issued in these days, in order of their ids."""
    with cursor("finance") as cur:
        cur.execute(_DOCUMENTS, [first, last])
        rows = rows_as_dicts(cur)
    for row in rows:
        document = OwnDocument(
            row["id"], row["number"], row["state"], row["is_late"], row["due_at"], load_json(row["messages"])
        )
        summary = load_json(row["vat_summary"]) or []
        for rate in summary:
            code = codes.of_code.get(rate["vat_code"], rate["vat_code"])
            net, vat = document.amounts.get(code, (ZERO, ZERO))
            document.amounts[code] = (net + rate["base_net"], vat + rate["base_vat"])
        document.contradictions = list(_contradictions(row, summary))
        yield document


def _contradictions(row: Mapping[str, Any], summary: list[dict[str, Any]]) -> Iterator[str]:
    """Where a document's header, VAT summary and lines do not say the same."""
    for name in ("net", "vat", "base_net", "base_vat"):
        total = sum((rate[name] for rate in summary), ZERO)
        if total != row[f"{name}_total"]:
            yield f"the header's {name} is {row[f'{name}_total']}, its VAT summary says {total}"
    lines = load_json(row["lines"]) or {}
    by_code: dict[str, list[Decimal]] = {}
    for rate in summary:
        sums = by_code.setdefault(rate["vat_code"], [ZERO, ZERO])
        sums[0] += rate["net"]
        sums[1] += rate["vat"]
    for code in sorted({*lines, *by_code}):
        of_lines = [Decimal(x) for x in lines.get(code, (0, 0))]
        if of_lines != by_code.get(code, [ZERO, ZERO]):
            yield f"lines of {code} sum to {of_lines}, the VAT summary says {by_code.get(code)}"


def ledger_sums(first: date, last: date, codes: VatMap) -> dict[int, dict[str, tuple[Decimal, Decimal]]]:
    """Net and VAT in the ledger per document and VAT code; key 0: lines that no issued document stands behind."""
    with cursor("finance") as cur:
        cur.execute(_LEDGER, {"vat": accounts.OUTPUT_VAT, "kinds": DOCUMENT_KINDS, "first": first, "last": last})
        rows = rows_as_dicts(cur)
    sums: dict[int, dict[str, tuple[Decimal, Decimal]]] = {}
    for row in rows:
        code = codes.of_code.get(row["vat_code"], row["vat_code"])
        of_document = sums.setdefault(row["id"], {})
        net, vat = of_document.get(code, (ZERO, ZERO))
        of_document[code] = (net + (row["net"] or ZERO), vat + (row["vat"] or ZERO))
    return sums
