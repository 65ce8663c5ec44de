"""Statements against the ledger: what the bank says is on the account must be what the ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import BankStatement
from finance.services import accounts
from finance.services.bank_posting import ledger_account
from finance.services.tie_out import YEAR_ENTRIES

SHOWN = 12


@dataclass(frozen=True)
class BalanceCheck:
    """A statement's closing balance beside the ledger's on its last day, in the statement's currency."""

    statement: BankStatement
    account: str  # of the ledger
    bank: Decimal  # of all bank accounts that the ledger account holds
    ledger: Decimal
    late: Decimal  # posted after the day for entries until it, net of what was undone
    open_count: int
    open_total: Decimal
    set_aside_total: Decimal

    gap: Decimal  # the statement's opening balance less the closing balance of the one before it

    @property
    def is_known(self) -> bool:
        """Whether the bank told a closing balance."""
        return self.statement.closing_balance is not None

    @property
    def difference(self) -> Decimal:
        """Ledger less bank, once every entry is booked: zero, or something is missing."""
        return self.ledger + self.late - self.bank

    @property
    def is_settled(self) -> bool:
        """Whether every entry until the day is booked or set aside, so that the two can be compared."""
        return self.is_known and not self.open_count

    def as_data(self) -> dict[str, Any]:
        """As plain data; ``difference`` is None while entries are open, or the bank told no balance."""
        return {
            "ledger_account": self.account, "bank_balance": self.bank if self.is_known else None,
            "ledger_balance": self.ledger, "booked_later": self.late, "open_entries": self.open_count,
            "open_total": self.open_total, "set_aside_total": self.set_aside_total, "gap_before": self.gap,
            "difference": self.difference if self.is_settled else None,
        }  # fmt: skip


# The balance of each bank account is that of its last statement, and what moved since. What was posted later is the net
# of all postings of the entries until the day, those that undo one included.
_COMPARE = """
with latest as (
  select distinct on (s.account) s.account, s.closing_balance, s.last_on from bank_statement s
  where s.currency = %(currency)s and s.closing_balance is not null and s.last_on <= %(day)s
  order by s.account, s.last_on desc, s.id desc
), e as (
  select b.* from bank_entry b where b.currency = %(currency)s and b.booked_on <= %(day)s
), x as (
  select l.entry_on, l.document_kind, l.document_id,
    case when %(is_base)s then l.amount else l.document_amount end as amount
  from journal_line l
  where l.account = %(account)s and l.document_kind <> all(%(year_entries)s)
    and (%(is_base)s or l.currency = %(currency)s)
)
select
  (select coalesce(sum(l.closing_balance), 0) from latest l)
    + (select coalesce(sum(e.amount), 0) from e join latest l on l.account = e.account and e.booked_on > l.last_on)
    as bank,
  (select coalesce(sum(x.amount), 0) from x where x.entry_on <= %(day)s) as ledger,
  (select coalesce(sum(x.amount), 0) from x where x.entry_on > %(day)s and (
     x.document_kind = 'bank_entry' and exists (select 1 from e where e.id = x.document_id)
     or x.document_kind = 'payment' and exists (
       select 1 from payment p where p.id = x.document_id and p.bank_on <= %(day)s))) as late,
  (select count(*) from e where e.state = 'open') as open_count,
  (select coalesce(sum(e.amount), 0) from e where e.state = 'open') as open_total,
  (select coalesce(sum(e.amount), 0) from e where e.state = 'set_aside') as set_aside_total"""


def check_balance(statement: BankStatement) -> BalanceCheck:
    """A statement beside the ledger on its last day."""
    account = ledger_account(statement.currency)
    found = _compare(statement.currency, account, statement.last_on)
    return BalanceCheck(statement, account, **found, gap=_gap_before(statement))


def _gap_before(statement: BankStatement) -> Decimal:
    """What moved at the bank between the statement before and this one: not zero when one is missing."""
    before = BankStatement.objects.filter(
        account=statement.account, closing_balance__isnull=False, last_on__lte=statement.first_on
    )
    latest = before.exclude(pk=statement.pk).order_by("-last_on", "-id").first()
    if latest is None or latest.closing_balance is None or statement.opening_balance is None:
        return Decimal(0)
    return Decimal(statement.opening_balance - latest.closing_balance)


def _compare(currency: str, account: str, day: date) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "currency": currency, "account": account, "day": day, "is_base": currency == accounts.base_currency(),
        "year_entries": list(YEAR_ENTRIES),
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_COMPARE, arguments)
        return rows_as_dicts(cur)[0]


def latest_checks(limit: int = SHOWN) -> Sequence[BalanceCheck]:
    """The latest statements, each with its comparison."""
    found = BankStatement.objects.order_by("-last_on", "-id")[:limit]
    return [check_balance(statement) for statement in found]
