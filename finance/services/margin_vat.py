"""VAT of the margin scheme: due on what a piece was sold for beyond its cost, at the standard rate it contains.

The documents carry no VAT. A piece sold at a loss owes none and lessens nobody else's; a credited line takes its own
back. What is due so far is compared with what was posted, so a repeat posts only what has come since.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retried, rows_as_dicts
from erp.errors import NotFound, Refused
from finance.models import FiscalPeriod, JournalEntry, VatCode
from finance.serializers.ledger import EntryDraft, LineDraft
from finance.services import accounts, posting
from finance.services.margin_costs import lines_without_cost
from finance.services.open_days import first_open_day

STANDARD_CODE = "27"
SHOWN = 20

# What credits and corrects a line counts with it; the cost is that of the goods' own move, or was entered; returned
# goods take theirs back.
_MARGINS = """
with recursive chain as (
  select l.id, l.id as line from invoice_line l join vat_code v on v.code = l.vat_code
  where v.category = 'margin' and l.original_line_id is null
  union all
  select l.id, c.line from chain c join invoice_line l on l.original_line_id = c.id
)
select g.vat_code, sum(round(greatest(g.margin, 0) * %(rate)s / (100 + %(rate)s), %(decimals)s)) as due
from (
  select l.vat_code, c.line, sum(l.base_net + coalesce(m.value, -k.cost, 0)
    + case when i.return_id is not null then coalesce(round(s.value * l.quantity / o.quantity, %(decimals)s), 0)
      else 0 end) as margin
  from chain c join invoice_line l on l.id = c.id join invoice i on i.id = l.invoice_id
  join vat_code v on v.code = l.vat_code
  left join valued_move m on m.move_id = l.move_id and l.original_line_id is null
  left join lateral (select c.cost from margin_cost c where c.line_id = l.id order by c.id desc limit 1) k on true
  left join invoice_line o on o.id = l.original_line_id left join valued_move s on s.move_id = o.move_id
  where v.category = 'margin' and i.state = 'issued'
    and tax_day(i.kind, i.vat_total, i.gross_total, i.fulfilled_on, i.issued_on) <= %(last)s
  group by 1, 2
) g group by g.vat_code order by g.vat_code"""

_POSTED = """
select l.vat_code, -sum(l.amount) as tax from journal_line l join vat_code v on v.code = l.vat_code
where l.account = %(output)s and v.category = 'margin' and l.tax_on <= %(last)s group by l.vat_code"""


def margin_vat_due(last: date) -> dict[str, Decimal]:
    """VAT code → tax of the margin scheme that is due up to a day and not posted yet (negative: posted too much)."""
    standard = VatCode.objects.filter(code=STANDARD_CODE).values_list("rate", flat=True).first() or Decimal(0)
    arguments: dict[str, Any] = {
        "rate": standard, "last": last, "decimals": accounts.base_decimals(), "output": accounts.OUTPUT_VAT,
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_MARGINS, arguments)
        due = {row["vat_code"]: row["due"] for row in rows_as_dicts(cur)}
        cur.execute(_POSTED, arguments)
        posted = dict(cur.fetchall())
    left = {code: due.get(code, Decimal(0)) - posted.get(code, Decimal(0)) for code in {*due, *posted}}
    return {code: tax for code, tax in sorted(left.items()) if tax}


@retried("finance")
def post_margin_vat(period_code: str, *, actor: Actor) -> dict[str, Any]:
    """Post the margin scheme's VAT that is due up to a period's end: Dr revenue, Cr output VAT, per code.

    Raises:
        NotFound: there is no such period; Refused: nothing is due, or the cost of a line is not known.
    """
    period = FiscalPeriod.objects.select_for_update().filter(code=period_code).first()
    if period is None:
        raise NotFound(f"There is no period {period_code}")
    _require_costs(period.ends_on)
    due = margin_vat_due(period.ends_on)
    if not due:
        raise Refused(f"No VAT of the margin scheme is due for {period_code} beyond what is posted")
    revenue, text = accounts.revenue("goods", accounts.home_country(), period.ends_on), f"Margin scheme, {period_code}"
    lines = []
    for code, tax in due.items():
        lines.append(LineDraft(revenue, tax, text=text, vat_code=code))
        lines.append(LineDraft(accounts.OUTPUT_VAT, -tax, text=text, vat_code=code))
    key = f"margin-vat:{period_code}"
    before = JournalEntry.objects.filter(posting_key__startswith=f"{key}:").count()
    entry = EntryDraft(
        journal="GEN", kind=JournalEntry.Kind.CLOSING, entry_on=first_open_day(period.ends_on),
        posting_key=f"{key}:{before + 1}",
        lines=lines, text=text, document_kind="margin_vat", document_number=period_code,
        tax_on=period.ends_on,
    )  # fmt: skip
    (entry_id,) = posting.post([entry], actor)
    return posting.entry_as_data(JournalEntry.objects.get(pk=entry_id))


def _require_costs(last: date) -> None:
    found = lines_without_cost(last)
    if found:
        named = ", ".join(f"{row['number']} line {row['line_no']}" for row in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise Refused(
            f"The margin is not known of what no goods issue delivered: {named}{more}. Enter what they cost on the "
            "page of the VAT return, or credit them"
        )
