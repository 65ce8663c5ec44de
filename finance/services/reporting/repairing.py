"""Repair and resubmission of reports that were refused, could not be made, or were annulled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from erp.actor import Actor
from erp.db import module_transaction
from erp.errors import NotFound
from finance.errors import NotInThisState
from finance.models import NavSubmission
from finance.models.reporting import OPEN_ANNULMENT
from finance.services.reporting import channel
from finance.services.reporting.connection import endpoint
from finance.services.reporting.hints import hint

REPAIRABLE = ("refused", "blocked", "annulled")
BUYER_FIELDS = ("vat_status", "tax_number", "name", "country", "postcode", "city", "street")


def resubmit(
    invoice_id: int,
    *,
    actor: Actor,
    buyer: Mapping[str, str] | None = None,
    transport: Mapping[int, Mapping[str, str]] | None = None,
) -> str:
    """Build a report anew and send it again; with an annulled base its annulled changes follow.

    Args:
        buyer: data of the buyer to report instead of those on the document (which never changes); an empty mapping
            takes an earlier repair back, None leaves it.
        transport: descriptions of new means of transport by line, as
            :func:`~finance.services.reporting.transport.mean_of` reads them; None leaves those that were given.

    Returns:
        The document's number.

    Raises:
        NotInThisState: the report is on its way, or the NAV has it.
    """
    with module_transaction("finance"):
        found = NavSubmission.objects.select_for_update().filter(pk=invoice_id).first()
        if found is None:
            raise NotFound(f"document {invoice_id} has no report")
        if found.state not in REPAIRABLE:
            raise NotInThisState(f"Only a report that failed or was annulled is sent again; {found}")
        if found.annulments.filter(state__in=OPEN_ANNULMENT).exists():
            raise NotInThisState(f"The annulment of {found.number} is not decided yet")
        if buyer is not None:
            found.buyer = {k: v for k, v in buyer.items() if k in BUYER_FIELDS and v} or None
        if transport is not None:
            found.transport = {str(line): dict(given) for line, given in transport.items()}
        found.repaired_by = actor.name
        _wait(found)
        if found.base_id is None:
            for change in NavSubmission.objects.select_for_update().filter(base_id=invoice_id, state="annulled"):
                _wait(change)
    channel.try_now(endpoint())
    hint()
    return str(found.number)


def resubmit_all(invoice_ids: Iterable[int], *, actor: Actor) -> int:
    """The same for several; those that cannot be sent again are left out. Returns how many were."""
    count = 0
    for invoice_id in invoice_ids:
        try:
            resubmit(invoice_id, actor=actor)
        except NotInThisState:
            continue
        count += 1
    return count


def _wait(submission: NavSubmission) -> None:
    from django.db.models.functions import Now

    submission.state = NavSubmission.State.WAITING
    submission.next_at = Now()
    submission.attempts = 0
    submission.claim = None
    submission.save()
