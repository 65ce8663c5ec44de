"""Goods delivered in a month and invoiced collectively after it: their revenue is accrued and reversed next month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q, Sum

from erp.actor import Actor
from erp.db import cursor, retrying
from erp.errors import NotFound
from finance.errors import NoExchangeRate, NothingToAccrue
from finance.models import CustomerCopy, FiscalPeriod, JournalEntry, JournalLine, WaitingIssue
from finance.serializers.ledger import EntryDraft, LineDraft
from finance.services import accounts, posting
from finance.services.document_data import line_of
from finance.services.documents import priced, to_base
from finance.services.rates import rate_for
from finance.services.sources import sources_of

ZERO = Decimal(0)
KIND = "accrual"
_LOCK = 1179209220


@dataclass
class Unbilled:
    """What was delivered to a customer until a day and not invoiced by then; net, in base currency."""

    customer: CustomerCopy
    shipments: list[str] = field(default_factory=list)
    net: dict[str, Decimal] = field(default_factory=dict)  # by revenue account
    accrued: dict[str, Decimal] = field(default_factory=dict)  # the same, as far as it is posted

    @property
    def total(self) -> Decimal:
        """Revenue of the goods."""
        return sum(self.net.values(), ZERO)

    @property
    def accrued_total(self) -> Decimal:
        """Of that, what is accrued."""
        return sum(self.accrued.values(), ZERO)

    @property
    def missing(self) -> dict[str, Decimal]:
        """What is still to be accrued, by revenue account; negative: too much is."""
        found = {a: self.net.get(a, ZERO) - self.accrued.get(a, ZERO) for a in sorted({*self.net, *self.accrued})}
        return {account: amount for account, amount in found.items() if amount}


def unbilled(last: date) -> list[Unbilled]:
    """Per customer what was delivered until a day and not invoiced by then, and what is accrued of it on that day.

    Raises NoExchangeRate.
    """
    issues = WaitingIssue.objects.filter(Q(invoice=None) | Q(invoice__issued_on__gt=last), issued_on__lte=last)
    rows: dict[int, list[WaitingIssue]] = {}
    for issue in issues.order_by("issued_on", "shipment_id"):
        rows.setdefault(issue.customer_id, []).append(issue)
    accrued = _accrued(last)
    found = CustomerCopy.objects.in_bulk([*rows, *accrued])
    return [
        _of(found[key], rows.get(key, []), accrued.get(key, {}), last) for key in sorted({*rows, *accrued})
    ]  # fmt: skip


def _of(customer: CustomerCopy, issues: list[WaitingIssue], accrued: dict[str, Decimal], last: date) -> Unbilled:
    found = Unbilled(customer, [row.shipment_number for row in issues], accrued=accrued)
    sources = sources_of(customer.pk, (x.get("product_id") for row in issues for x in row.payload["lines"]))
    for row in issues:
        lines = [line_of(x, sources.products.get(x.get("product_id") or 0)) for x in row.payload["lines"]]
        country = str((row.payload.get("bill_to") or {}).get("country") or row.payload.get("country") or "")
        rate = rate_for(row.currency, last)
        for line in priced(lines, row.currency, row.price_mode):
            account = accounts.revenue(line.product_class, country or customer.country, last)
            found.net[account] = found.net.get(account, ZERO) + to_base(line.net, rate)
    return found


def _accrued(last: date) -> dict[int, dict[str, Decimal]]:
    """Customer → revenue account → what is accrued on a day; reversals stand on the next."""
    lines = JournalLine.objects.filter(document_kind=KIND, entry_on=last, document_number=f"{last:%Y-%m}")
    found: dict[int, dict[str, Decimal]] = {}
    for customer_id, account, amount in lines.values_list("customer_id", "account").annotate(x=Sum("amount")):
        if amount and account != accounts.ACCRUED_INCOME:
            found.setdefault(customer_id or 0, {})[str(account)] = -amount
    return found


def not_accrued(last: date) -> list[str]:
    """What stands against closing the month that ends on a day, in words."""
    try:
        rows = [row for row in unbilled(last) if row.missing]
    except NoExchangeRate as error:
        return [
            f"Goods delivered until {last} and not invoiced by then have no value in base currency: {error.message}"
        ]
    if not rows:
        return []
    named = "; ".join(
        f"{row.customer.number} {row.customer.name}: {row.total.normalize():,f} "
        f"for {', '.join(row.shipments) or 'nothing'}"
        + (f", accrued {row.accrued_total.normalize():,f}" if row.accrued else "")
        for row in rows
    )
    return [
        f"Goods delivered until {last} that were not invoiced by then and are not accrued, net in "
        f"{accounts.base_currency()}: {named}; accrue their revenue"
    ]


def accrue(period_id: int, *, actor: Actor) -> dict[str, str]:
    """Accrue the revenue of goods not invoiced by a month's end, on its last day, and reverse it on the next day.

    What is accrued already is left; goods that came late, or invoices dated back, make an entry over the difference.

    Returns:
        ``amount`` accrued now, ``entry`` and ``reversal``: their numbers.

    Raises:
        NothingToAccrue; PeriodClosed: the month, or the next one, takes no more postings.
    """

    def run() -> dict[str, str]:
        with cursor("finance") as cur:
            cur.execute("select pg_advisory_xact_lock(%s, %s)", [_LOCK, period_id])
        period = FiscalPeriod.objects.filter(pk=period_id).first()
        if period is None:
            raise NotFound(f"period {period_id} does not exist")
        missing = {row.customer.pk: row.missing for row in unbilled(period.ends_on) if row.missing}
        if not missing:
            raise NothingToAccrue(f"Whatever was delivered until {period.ends_on} is invoiced or accrued")
        (entry_id,) = posting.post([_entry(period, missing)], actor)
        entry = JournalEntry.objects.get(pk=entry_id)
        undo = posting.reversal_of(entry, period.ends_on + timedelta(days=1), f"Reversal of accrual {period.code}")
        (reversal_id,) = posting.post([undo], actor)
        amount = sum((part for parts in missing.values() for part in parts.values()), ZERO)
        return {"amount": f"{amount.normalize():,f}", "entry": str(entry_id), "reversal": str(reversal_id)}

    return retrying("finance", run)


def _entry(period: FiscalPeriod, missing: Mapping[int, Mapping[str, Decimal]]) -> EntryDraft:
    lines = []
    for customer_id, parts in missing.items():
        total = sum(parts.values(), ZERO)
        lines.append(LineDraft(account=accounts.ACCRUED_INCOME, amount=total, customer_id=customer_id))
        lines += [LineDraft(account=a, amount=-part, customer_id=customer_id) for a, part in parts.items()]
    before = JournalEntry.objects.filter(document_kind=KIND, document_number=period.code, reverses=None).count()
    return EntryDraft(
        journal="GEN", kind=JournalEntry.Kind.CLOSING, entry_on=period.ends_on,
        posting_key=f"{KIND}:{period.code}:{before + 1}", lines=lines,
        text=f"Goods delivered until {period.ends_on}, not invoiced yet", document_kind=KIND,
        document_number=period.code,
    )  # fmt: skip
