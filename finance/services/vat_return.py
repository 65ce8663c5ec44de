"""The VAT return of a period: base and tax per code from the ledger, reconciled to VAT accounts and documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import VatCode
from finance.services import accounts
from finance.services.balances import moved_sql

ZERO = Decimal(0)
SIDES = ("sale", "reverse", "purchase")
VAT_ACCOUNTS = accounts.VAT_ACCOUNTS
SETTLEMENT = "vat_settlement"
APART = (SETTLEMENT, "year_close", "year_open")
"""Document kinds of entries on VAT accounts that are no VAT themselves."""


@dataclass(frozen=True)
class CodeSums:
    """One VAT code on one side of the return, in base currency; sales and purchases both count positive."""

    side: str  # sale | reverse (owed by us as the buyer) | purchase
    code: str
    name: str
    rate: Decimal
    category: str
    base: Decimal
    tax: Decimal


@dataclass(frozen=True)
class AccountSums:
    """A VAT account: what was posted on it in the period, and how much of that the return explains.

    Credit is positive for output VAT, debit for input VAT. A line counts in the period of its tax date.
    """

    account: str
    name: str
    moved: Decimal  # posted in the period
    returned: Decimal  # in the period's return
    elsewhere: Decimal  # of that, posted in another period
    other_periods: Decimal  # posted in the period, but in the return of another
    transferred: Decimal  # to the settlement account, and taken back from it
    left: Decimal  # what the account holds of the period's return, after what was transferred for it

    @property
    def difference(self) -> Decimal:
        """Zero, or the account holds VAT of the period that no return does: it was posted without a VAT code."""
        return self.moved - (self.returned - self.elsewhere) - self.other_periods - self.transferred


@dataclass(frozen=True)
class VatReturn:
    """A period's return."""

    first: date
    last: date
    codes: tuple[CodeSums, ...]
    accounts: tuple[AccountSums, ...]

    def tax_of(self, side: str) -> Decimal:
        """Tax of one side."""
        return sum((c.tax for c in self.codes if c.side == side), ZERO)

    @property
    def output_tax(self) -> Decimal:
        """Tax of sales, and of purchases for which the buyer owes it."""
        return self.tax_of("sale") + self.tax_of("reverse")

    @property
    def payable(self) -> Decimal:
        """Output tax less input tax; negative: to be reclaimed or carried forward."""
        return self.output_tax - self.tax_of("purchase")

    @property
    def agrees(self) -> bool:
        """Whether every VAT account is explained."""
        return not any(a.difference for a in self.accounts)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "first": self.first, "last": self.last, "currency": accounts.base_currency(),
            "codes": [asdict(c) for c in self.codes], "output_tax": self.output_tax,
            "input_tax": self.tax_of("purchase"), "payable": self.payable, "agrees": self.agrees,
            "accounts": [{**asdict(a), "difference": a.difference} for a in self.accounts],
        }  # fmt: skip


_TAXED = "t.tax_on between %(first)s and %(last)s"
_POSTED = "t.entry_on between %(first)s and %(last)s"
_CODED = moved_sql(f"{_TAXED} and t.vat_code <> ''")
_ON_ACCOUNTS = moved_sql(f"({_TAXED} or {_POSTED}) and t.account = any(%(vat_accounts)s)")

# A purchase stands on assets and expenses, a sale on income and on what is owed (advances, vouchers). Output VAT under
# a code of reverse charge is owed by us as the buyer; its base is the purchase's.
_CODES = f"""
select m.vat_code as code,
  case when m.account = %(input)s or (m.account <> %(output)s and a.type in ('asset', 'expense')) then 'purchase'
    when m.account = %(output)s and v.category = 'reverse_charge' then 'reverse' else 'sale' end as side,
  coalesce(sum(m.debit - m.credit) filter (where m.account <> all(%(vat_accounts)s)), 0) as base,
  coalesce(sum(m.debit - m.credit) filter (where m.account = any(%(vat_accounts)s)), 0) as tax
from ({_CODED}) m left join account a on a.number = m.account left join vat_code v on v.code = m.vat_code
group by 1, 2 order by 2 desc, 1"""

# The closing and opening entries of a year carry the accounts' balances over: they are no VAT of any period and are
# taken out. What settlements and their reversals transferred is taken out too, and counted for itself.
_APART = """
select t.entry_on, t.tax_on, t.account, t.vat_code, x.sign * greatest(t.amount, 0), x.sign * greatest(-t.amount, 0),
  x.is_transfer
from journal_entry e join journal_line t on t.entry_id = e.id
cross join (values (-1, false), (1, true)) x(sign, is_transfer)
where e.document_kind = any(%(apart)s) and (e.document_kind = %(settlement)s or not x.is_transfer)
  and t.account = any(%(vat_accounts)s)"""

_ACCOUNTS = f"""
select x.number as account, a.name, coalesce(sum(m.amount) filter (where m.is_posted), 0) as moved,
  coalesce(sum(m.amount) filter (where m.is_taxed and m.vat_code <> ''), 0) as returned,
  coalesce(sum(m.amount) filter (where m.is_taxed and not m.is_transfer and not m.is_posted), 0) as elsewhere,
  coalesce(sum(m.amount) filter (where m.is_posted and not m.is_transfer and not m.is_taxed), 0) as other_periods,
  coalesce(sum(m.amount) filter (where m.is_posted and m.is_transfer), 0) as transferred,
  coalesce(sum(m.amount) filter (where m.is_taxed), 0) as left
from unnest(%(vat_accounts)s::text[]) with ordinality x(number, n) left join account a on a.number = x.number
left join (
  select t.account, t.vat_code, t.debit - t.credit as amount, t.is_transfer, {_TAXED} as is_taxed,
    {_POSTED} as is_posted
  from (select o.*, false as is_transfer from ({_ON_ACCOUNTS}) o union all {_APART} and ({_TAXED} or {_POSTED})) t
) m on m.account = x.number group by x.number, x.n, a.name order by x.n"""


def vat_return(first: date, last: date) -> VatReturn:
    """Base and tax per VAT code whose tax date is from first to last, from the ledger's totals."""
    arguments: dict[str, Any] = {
        "first": first, "last": last, "vat_accounts": list(VAT_ACCOUNTS), "input": accounts.INPUT_VAT,
        "output": accounts.OUTPUT_VAT, "apart": list(APART), "settlement": SETTLEMENT,
    }  # fmt: skip
    known = {c.code: c for c in VatCode.objects.all()}
    with cursor("finance") as cur:
        cur.execute(_CODES, arguments)
        codes = rows_as_dicts(cur)
        cur.execute(_ACCOUNTS, arguments)
        moved = rows_as_dicts(cur)
    purchases = {row["code"]: row["base"] for row in codes if row["side"] == "purchase"}
    return VatReturn(
        first, last, tuple(_code(row, known.get(row["code"]), purchases) for row in codes),
        tuple(_account(row) for row in moved),
    )  # fmt: skip


def _code(row: dict[str, Any], code: VatCode | None, purchases: Mapping[str, Decimal]) -> CodeSums:
    sign = 1 if row["side"] == "purchase" else -1
    base = purchases.get(row["code"], ZERO) if row["side"] == "reverse" else sign * row["base"]
    return CodeSums(
        side=row["side"], code=row["code"], name=code.name if code else "", rate=code.rate if code else ZERO,
        category=code.category if code else "", base=base, tax=sign * row["tax"],
    )  # fmt: skip


_AMOUNTS = ("moved", "returned", "elsewhere", "other_periods", "transferred", "left")


def _account(row: dict[str, Any]) -> AccountSums:
    sign = 1 if row["account"] == accounts.INPUT_VAT else -1
    return AccountSums(row["account"], row["name"] or "", **{name: sign * row[name] + ZERO for name in _AMOUNTS})
