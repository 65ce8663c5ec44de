"""Subledger of receivables: open items against the ledger, settlements and payments against what settled them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from erp.scrubber.result import Findings
from finance.services import accounts

Read = Callable[..., Iterator[dict[str, Any]]]

_RECEIVABLES = """
select customer_id, sum(ledger) as ledger, sum(open) as open from (
  select customer_id, amount as ledger, 0 as open from journal_line where account = any(%(accounts)s)
  union all
  select i.customer_id, 0, i.base_gross_total - case when s.gross_total = 0 then i.base_gross_total else round(
    i.base_gross_total * (s.paid_total + s.offset_total + s.written_off_total) / s.gross_total, %(decimals)s) end
  from invoice_settlement s join invoice i on i.id = s.invoice_id
) x group by customer_id having sum(ledger) <> sum(open)"""

# The totals from the allocations, the gross from the document, the state from the totals.
_SETTLEMENTS = """
select i.number, i.gross_total as gross, coalesce(a.paid, 0) as paid, coalesce(a.netted, 0) as netted,
  coalesce(a.written_off, 0) as written_off, x.state, s.gross_total as kept_gross, s.paid_total as kept_paid,
  s.offset_total as kept_netted, s.written_off_total as kept_written_off, s.state as kept_state
from invoice_settlement s join invoice i on i.id = s.invoice_id
left join lateral (
  select coalesce(sum(x.amount) filter (where x.invoice_id = i.id and x.payment_id is not null), 0) as paid,
    coalesce(sum(case when x.credit_note_id = i.id then -x.amount else x.amount end)
      filter (where x.credit_note_id is not null), 0) as netted,
    coalesce(sum(x.amount) filter (where x.write_off_id is not null), 0) as written_off
  from payment_allocation x where x.invoice_id = i.id or x.credit_note_id = i.id) a on true
cross join lateral (select s.paid_total + s.offset_total + s.written_off_total as settled) t
cross join lateral (select case
  when s.gross_total < 0 then case
    when t.settled = s.gross_total then case when s.paid_total <> 0 then 'refunded' else 'credited' end
    when t.settled <> 0 then 'partly_paid' else 'open' end
  when s.gross_total > 0 and s.credited_total >= s.gross_total then 'credited'
  when t.settled >= s.gross_total then case
    when s.paid_total <> 0 or s.written_off_total = 0 then 'paid' else 'written_off' end
  when t.settled > 0 then 'partly_paid' else 'open' end as state) x
where s.gross_total <> i.gross_total or s.paid_total <> coalesce(a.paid, 0)
  or s.offset_total <> coalesce(a.netted, 0) or s.written_off_total <> coalesce(a.written_off, 0)
  or abs(t.settled) > abs(s.gross_total) or s.state <> x.state"""

_UNSETTLED = """
select i.number, s.invoice_id from invoice i full join invoice_settlement s on s.invoice_id = i.id
where (i.state = 'issued' and s.invoice_id is null) or (s.invoice_id is not null and i.state is distinct from 'issued')
order by 1, 2"""

# Per invoice with its corrections what was charged, and after it every document that took something back, in order.
_CREDITS = """
with taken as (
  select coalesce(o.original_id, o.id) as root, c.invoice_id as id, -sum(c.gross) as gross
  from invoice_line c join invoice i on i.id = c.invoice_id
  join invoice_line l on l.id = c.original_line_id join invoice o on o.id = l.invoice_id
  where i.state = 'issued' and i.kind in ('credit_note', 'cancellation') group by 1, 2
  union all
  select original_id, id, -gross_total from invoice where state = 'issued' and kind = 'correction' and gross_total < 0
), charged as (
  select case when i.kind = 'correction' and i.gross_total > 0 then i.original_id else i.id end as root, i.id, i.number,
    i.gross_total as gross, s.credited_total
  from invoice i join invoice_settlement s on s.invoice_id = i.id
)
select c.root, c.id, c.number, c.gross, c.credited_total, true as is_charge from charged c
where c.root in (select t.root from taken t) or c.credited_total <> 0
  or c.root in (select x.root from charged x where x.credited_total <> 0)
union all
select t.root, t.id, '', t.gross, 0, false from taken t
order by 1, 2, 6 desc"""

_PAYMENTS = """
select p.number, p.allocated, coalesce(sum(a.amount), 0) as found from payment p
left join payment_allocation a on a.payment_id = p.id group by p.id having coalesce(sum(a.amount), 0) <> p.allocated"""


# An entry of a payment names the document that each of its lines settles: sums alone would hide allocations that
# changed places.
_ALLOCATED = """
select coalesce(p.number, b.document_number) as payment, coalesce(a.number, b.number) as number,
  coalesce(a.amount, 0) as allocated, coalesce(b.amount, 0) as booked
from (
  select x.payment_id, i.number, sum(x.amount) as amount from payment_allocation x join invoice i on i.id = x.invoice_id
  where x.payment_id is not null group by 1, 2
) a full join (
  select document_id as payment_id, min(document_number) as document_number, text as number,
    -sum(document_amount) as amount
  from journal_line where account = any(%(accounts)s) and document_kind = 'payment' group by 1, 3
) b on b.payment_id = a.payment_id and b.number = a.number
left join payment p on p.id = coalesce(a.payment_id, b.payment_id)
where coalesce(a.amount, 0) <> coalesce(b.amount, 0) order by 1, 2"""


def check_receivables(findings: Findings, read: Read) -> None:
    """Receivables equal what is open of documents; settlements and payments equal what settled and credited them."""
    arguments = {"accounts": list(accounts.RECEIVABLES), "decimals": accounts.base_decimals()}
    for row in read(_RECEIVABLES, arguments):
        key, difference = f"receivables of customer {row['customer_id']}", row["ledger"] - row["open"]
        findings.add(key, row["open"], row["ledger"], "owner corrupt", amount=difference)
    for row in read(_SETTLEMENTS):
        names = ("gross", "paid", "netted", "written_off", "state")
        expected, found = {name: row[name] for name in names}, {name: row[f"kept_{name}"] for name in names}
        findings.add(f"settlement of {row['number']}", expected, found, "owner corrupt")
    for row in read(_UNSETTLED):
        key, is_lost = f"settlement row of {row['number'] or row['invoice_id']}", row["invoice_id"] is None
        findings.add(key, is_lost, not is_lost, "lost" if is_lost else "rogue write")
    _check_credits(findings, read)
    for row in read(_PAYMENTS):
        difference = row["allocated"] - row["found"]
        findings.add(f"payment {row['number']}", row["found"], row["allocated"], "owner corrupt", amount=difference)
    for row in read(_ALLOCATED, {"accounts": list(accounts.RECEIVABLES)}):
        key, difference = f"{row['payment']} allocated to {row['number']}", row["allocated"] - row["booked"]
        findings.add(key, row["booked"], row["allocated"], "owner corrupt", amount=difference)


def _check_credits(findings: Findings, read: Read) -> None:
    """What is credited of each document is what credit notes and corrections took: of the oldest charge first."""
    for _, rows in groupby(read(_CREDITS), key=lambda row: row["root"]):
        for row, credited in _credited(rows):
            if row["credited_total"] != credited:
                difference = row["credited_total"] - credited
                key = f"credited of {row['number']}"
                findings.add(key, credited, row["credited_total"], "owner corrupt", amount=difference)


def _credited(rows: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], Decimal]]:
    charges: list[tuple[dict[str, Any], Decimal]] = []
    for row in rows:
        if row["is_charge"]:
            charges.append((row, Decimal(0)))
            continue
        left = row["gross"]
        for at, (charge, credited) in enumerate(charges):
            part = min(left, max(charge["gross"] - credited, Decimal(0)))
            charges[at], left = (charge, credited + part), left - part
    return charges
