"""Finance's own side of a reconciliation: what documents say and what the ledger holds of each, per VAT code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts, snapshot
from erp.fields import load_json
from erp.money import round_money
from finance.models import VatCode
from finance.nav.vat import VatKey
from finance.services.chain_sql import DOCUMENT_DIGEST, DOCUMENT_LINE_DIGEST
from finance.services.reporting import contradictions
from finance.services.reporting.documents import vat_treatments
from finance.services.reporting.ledger_side import Amounts, Booked, ledger_of

ZERO = Decimal(0)

_SUMS = ("net", "vat", "gross", "base_net", "base_vat")

_DOCUMENTS = f"""
select j.id, j.number, j.currency, j.vat_summary, j.net_total, j.vat_total, j.gross_total, j.base_net_total,
  j.base_vat_total, j.base_gross_total, coalesce(s.state, 'no report') as state,
  coalesce(s.messages, '[]') as messages, s.due_at, coalesce(s.due_at < clock_timestamp(), true) as is_late,
  case when s.state = 'done' then t.hash end as sent_hash, l.sums as lines,
  coalesce(l.keep_base, true) as lines_keep_base,
  coalesce(z.header = {DOCUMENT_DIGEST} and z.lines = coalesce(l.digests, ''), true) as is_as_issued
from invoice j left join nav_submission s on s.invoice_id = j.id left join nav_item t on t.id = s.item_id
left join invoice_seal z on z.invoice_id = j.id
left join lateral (
  select jsonb_object_agg(x.vat_code, x.sums) as sums, bool_and(x.keep_base) as keep_base, (
    select string_agg({DOCUMENT_LINE_DIGEST}, ''::bytea order by l.line_no, l.id) from invoice_line l
    where l.invoice_id = j.id) as digests
  from (
    select l.vat_code, bool_and(l.base_net is not null and l.base_vat is not null) as keep_base,
      jsonb_build_array(sum(l.net), sum(l.vat), sum(l.gross), sum(l.base_net), sum(l.base_vat)) as sums
    from invoice_line l where l.invoice_id = j.id group by l.vat_code) x) l on true
where j.state = 'issued' and j.issued_on between %(first)s and %(last)s
  and (%(numbers)s::text[] is null or j.number = any(%(numbers)s::text[])) order by j.id"""


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
    """An issued document: what it says per VAT code, in HUF and in its currency, and how far its report has come."""

    id: int
    number: str
    currency: str
    state: str
    is_late: bool
    due_at: datetime | None
    messages: list[Any]
    sent_hash: str | None  # of the XML that was reported; None: not reported
    lines_keep_base: bool  # whether every line holds its own amounts in HUF
    amounts: Amounts = field(default_factory=dict)
    native: Amounts = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)


@dataclass
class Books:
    """Documents in order of their ids, and what the ledger holds; all as of one moment."""

    codes: VatMap
    documents: list[OwnDocument]
    booked: Booked


def read_books(
    first: date, last: date, numbers: Sequence[str] | None = None, begun: Callable[[], None] = lambda: None
) -> Books:
    """Documents issued in these days and their VAT in the ledger, in one snapshot; with ``numbers`` those alone.

    ``begun`` is called as soon as the moment of the snapshot is fixed.
    """
    period = {"first": first, "last": last, "numbers": None if numbers is None else list(numbers)}
    with snapshot("finance"):
        codes = vat_map()
        begun()
        with cursor("finance") as cur:
            cur.execute(_DOCUMENTS, period)
            rows = rows_as_dicts(cur)
        booked = ledger_of(period, codes.of_code)
    return Books(codes, [_document(row, codes, booked) for row in rows], booked)


def _document(row: Mapping[str, Any], codes: VatMap, booked: Booked) -> OwnDocument:
    names = ("id", "number", "currency", "state", "is_late", "due_at", "sent_hash", "lines_keep_base")
    document = OwnDocument(messages=load_json(row["messages"]), **{name: row[name] for name in names})
    summary = load_json(row["vat_summary"]) or []
    for rate in summary:
        code = codes.of_code.get(rate["vat_code"], rate["vat_code"])
        for amounts, net, vat in ((document.amounts, "base_net", "base_vat"), (document.native, "net", "vat")):
            before = amounts.get(code, (ZERO, ZERO))
            amounts[code] = (before[0] + rate[net], before[1] + rate[vat])
    lines = {code: dict(zip(_SUMS, sums, strict=True)) for code, sums in (load_json(row["lines"]) or {}).items()}
    document.contradictions = [
        *contradictions.within(row, summary, lines),
        *contradictions.with_ledger(row, document.native, booked),
    ]
    return document
