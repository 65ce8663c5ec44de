"""Transfers a period's VAT to the settlement account, so that the VAT accounts stand at zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import retried
from erp.errors import NotFound, Refused
from finance.models import FiscalPeriod, JournalEntry
from finance.serializers.ledger import EntryDraft, LineDraft
from finance.services import accounts, posting
from finance.services.margin_vat import margin_vat_due, post_margin_vat
from finance.services.open_days import first_open_day
from finance.services.vat_by_hand import disagreement
from finance.services.vat_return import SETTLEMENT, vat_return


@retried("finance")
def settle_vat(period_code: str, *, actor: Actor) -> dict[str, Any]:
    """Post what the period still holds on the VAT accounts to the settlement account; returns the entry.

    VAT of the margin scheme that is due is posted first. A repeat transfers only what has been posted since: a
    self-revision of the return. For a month that is closed for good it is posted on the first open day.

    Raises:
        NotFound: there is no such period; PeriodClosed; Refused: nothing is left to transfer, or entries without a
            VAT code stand on the VAT accounts, which no return holds.
    """
    period = FiscalPeriod.objects.select_for_update().filter(code=period_code).first()
    if period is None:
        raise NotFound(f"There is no period {period_code}")
    if margin_vat_due(period.ends_on):
        post_margin_vat(period_code, actor=actor)
    found = vat_return(period.starts_on, period.ends_on)
    against = disagreement(found, period_code)
    if against:
        raise Refused(against)
    # Output VAT stands in credit, input VAT in debit.
    left = {a.account: (-a.left if a.account == accounts.INPUT_VAT else a.left) for a in found.accounts}
    amounts = {account: amount for account, amount in left.items() if amount}
    if not amounts:
        raise Refused(f"The VAT accounts hold nothing of {period_code}: it is transferred already, or there was none")
    amounts[accounts.VAT_SETTLEMENT] = -sum(amounts.values(), Decimal(0))
    text, tax_on = f"VAT of {period_code}", period.ends_on
    lines = [LineDraft(account, amount, text=text, tax_on=tax_on) for account, amount in amounts.items()]
    key = f"vat-settlement:{period_code}"
    before = JournalEntry.objects.filter(posting_key__startswith=key).count()
    entry = EntryDraft(
        journal="GEN", kind=JournalEntry.Kind.CLOSING, entry_on=first_open_day(period.ends_on),
        posting_key=f"{key}:{before + 1}",
        lines=lines, text=f"Settlement of VAT, {period_code}", document_kind=SETTLEMENT,
        document_number=period_code,
    )  # fmt: skip
    (entry_id,) = posting.post([entry], actor)
    return posting.entry_as_data(JournalEntry.objects.get(pk=entry_id))
