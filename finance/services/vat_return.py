"""The VAT return of a period: base and tax per code from the ledger, reconciled to VAT accounts and documents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import DOCUMENT_KINDS, VatCode
from finance.services import accounts
from finance.services.balances import moved_sql

ZERO = Decimal(0)
VAT_ACCOUNTS = (accounts.OUTPUT_VAT, accounts.INPUT_VAT)


@dataclass(frozen=True)
class CodeSums:
    """One VAT code on one side of the return, in base currency; sales and purchases both count positive."""

    side: str  # sale | purchase
    code: str
    name: str
    rate: Decimal
    category: str
    base: Decimal
    tax: Decimal


@dataclass(frozen=True)
class AccountSums:
    """A VAT account: what the period moved on it, how much of that the return explains, and the rest."""

    account: str
    name: str
    moved: Decimal  # credit positive for output VAT, debit positive for input VAT
    returned: Decimal
    transferred: Decimal  # to the settlement account, or posted without a VAT code

    @property
    def difference(self) -> Decimal:
        """Zero, or the return does not agree with the account."""
        return self.moved - self.returned - self.transferred


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
    def payable(self) -> Decimal:
        """Output tax less input tax; negative: to be reclaimed or carried forward."""
        return self.tax_of("sale") - self.tax_of("purchase")

    @property
    def agrees(self) -> bool:
        """Whether every VAT account is explained."""
        return not any(a.difference for a in self.accounts)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "first": self.first, "last": self.last, "currency": accounts.base_currency(),
            "codes": [asdict(c) for c in self.codes], "output_tax": self.tax_of("sale"),
            "input_tax": self.tax_of("purchase"), "payable": self.payable, "agrees": self.agrees,
            "accounts": [{**asdict(a), "difference": a.difference} for a in self.accounts],
        }  # fmt: skip


_DAYS = "t.entry_on between %(first)s and %(last)s"
_CODED = moved_sql(f"{_DAYS} and t.vat_code <> ''")
_ON_ACCOUNTS = moved_sql(f"{_DAYS} and t.account = any(%(vat_accounts)s)")

# A purchase stands on assets and expenses, a sale on income and on what is owed (advances, vouchers).
_CODES = f"""
select m.vat_code as code,
  case when m.account = %(input)s or (m.account <> %(output)s and a.type in ('asset', 'expense'))
    then 'purchase' else 'sale' end as side,
  coalesce(sum(m.debit - m.credit) filter (where m.account <> all(%(vat_accounts)s)), 0) as base,
  coalesce(sum(m.debit - m.credit) filter (where m.account = any(%(vat_accounts)s)), 0) as tax
from ({_CODED}) m left join account a on a.number = m.account group by 1, 2 order by 2 desc, 1"""

_ACCOUNTS = f"""
select x.number as account, a.name, coalesce(sum(m.debit - m.credit), 0) as moved,
  coalesce(sum(m.debit - m.credit) filter (where m.vat_code <> ''), 0) as returned,
  coalesce(sum(m.debit - m.credit) filter (where m.vat_code = ''), 0) as transferred
from unnest(%(vat_accounts)s::text[]) with ordinality x(number, n) left join account a on a.number = x.number
left join ({_ON_ACCOUNTS}) m on m.account = x.number group by x.number, x.n, a.name order by x.n"""


def vat_return(first: date, last: date) -> VatReturn:
    """Base and tax per VAT code of the days from first to last, from the ledger's totals."""
    arguments: dict[str, Any] = {
        "first": first, "last": last, "vat_accounts": list(VAT_ACCOUNTS), "input": accounts.INPUT_VAT,
        "output": accounts.OUTPUT_VAT,
    }  # fmt: skip
    known = {c.code: c for c in VatCode.objects.all()}
    with cursor("finance") as cur:
        cur.execute(_CODES, arguments)
        codes = rows_as_dicts(cur)
        cur.execute(_ACCOUNTS, arguments)
        moved = rows_as_dicts(cur)
    return VatReturn(
        first, last, tuple(_code(row, known.get(row["code"])) for row in codes), tuple(_account(row) for row in moved)
    )


def _code(row: dict[str, Any], code: VatCode | None) -> CodeSums:
    sign = 1 if row["side"] == "purchase" else -1
    return CodeSums(
        side=row["side"], code=row["code"], name=code.name if code else "", rate=code.rate if code else ZERO,
        category=code.category if code else "", base=sign * row["base"], tax=sign * row["tax"],
    )  # fmt: skip


def _account(row: dict[str, Any]) -> AccountSums:
    sign = 1 if row["account"] == accounts.INPUT_VAT else -1
    return AccountSums(
        account=row["account"], name=row["name"] or "", moved=sign * row["moved"], returned=sign * row["returned"],
        transferred=sign * row["transferred"],
    )  # fmt: skip


_DOCUMENTS = """
select l.document_kind, l.document_number, l.document_id, min(l.entry_on) as entry_on, min(l.entry_id) as entry_id,
  max(l.customer_id) as customer_id,
  coalesce(sum(l.amount) filter (where l.account <> all(%(vat_accounts)s)), 0) * %(sign)s as base,
  coalesce(sum(l.amount) filter (where l.account = any(%(vat_accounts)s)), 0) * %(sign)s as tax
from journal_line l join account a on a.number = l.account
where l.account = any(%(accounts)s) and l.entry_on between %(first)s and %(last)s and l.vat_code = %(code)s
  and (l.account = %(input)s or (l.account <> %(output)s and a.type in ('asset', 'expense'))) = %(is_purchase)s
group by l.document_kind, l.document_number, l.document_id,
  case when l.document_id is null then l.entry_id end
order by 4, 5 limit %(limit)s"""

_ACCOUNTS_OF_CODE = f"select distinct m.account from ({moved_sql(_DAYS + ' and t.vat_code = %(code)s')}) m"


def documents_of_code(first: date, last: date, side: str, code: str, limit: int = 5_000) -> list[dict[str, Any]]:
    """The documents and entries behind one line of the return, oldest first."""
    arguments: dict[str, Any] = {"first": first, "last": last, "code": code}
    with cursor("finance") as cur:
        cur.execute(_ACCOUNTS_OF_CODE, arguments)
        of_code = [row[0] for row in cur.fetchall()]
        arguments |= {
            "accounts": of_code, "vat_accounts": list(VAT_ACCOUNTS), "sign": 1 if side == "purchase" else -1,
            "input": accounts.INPUT_VAT, "output": accounts.OUTPUT_VAT, "is_purchase": side == "purchase",
            "limit": limit,
        }  # fmt: skip
        cur.execute(_DOCUMENTS, arguments)
        return rows_as_dicts(cur)


_DIFFERENCES = """
with documents as (
  select i.id, i.number, v.vat_code, v.base_net as base, v.base_vat as tax from invoice i
  cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_net numeric, base_vat numeric)
  where i.state = 'issued' and i.issued_on between %(first)s and %(last)s
), booked as (
  select l.document_id as id, l.vat_code, -sum(l.amount) filter (where l.account <> all(%(vat_accounts)s)) as base,
    -coalesce(sum(l.amount) filter (where l.account = any(%(vat_accounts)s)), 0) as tax
  from journal_line l where l.entry_on between %(first)s and %(last)s and l.vat_code <> ''
    and l.document_kind = any(%(kinds)s) group by 1, 2
)
select coalesce(d.number, 'document ' || b.id) as number, coalesce(d.vat_code, b.vat_code) as code,
  coalesce(d.base, 0) as base, coalesce(d.tax, 0) as tax, coalesce(b.base, 0) as booked_base,
  coalesce(b.tax, 0) as booked_tax
from documents d full join booked b on b.id = d.id and b.vat_code = d.vat_code
where (coalesce(d.base, 0), coalesce(d.tax, 0)) is distinct from (coalesce(b.base, 0), coalesce(b.tax, 0))
order by 1, 2 limit 100"""


def document_differences(first: date, last: date) -> list[dict[str, Any]]:
    """Documents of the period whose VAT summary is not what the ledger holds of them; empty when all agree."""
    arguments: dict[str, Any] = {
        "first": first, "last": last, "vat_accounts": list(VAT_ACCOUNTS), "kinds": list(DOCUMENT_KINDS),
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_DIFFERENCES, arguments)
        return rows_as_dicts(cur)
