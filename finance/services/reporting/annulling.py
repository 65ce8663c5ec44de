"""Technical annulment: a report with wrong data is withdrawn, followed until the decision on the NAV's page.

The invoice itself stays as it is; once the annulment is approved, its report is repaired and sent again. Annulling an
invoice's report takes the reports of its changes along, and they are sent again with it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from erp.actor import Actor
from erp.db import cursor, module_transaction, rows_as_dicts
from erp.errors import NotFound
from erp.faultpoints import fault_point
from erp.fields import dump_json
from finance.errors import NotInThisState
from finance.models import NavAnnulment, NavSubmission
from finance.models.reporting import OPEN_ANNULMENT
from finance.nav.annulment_xml import AnnulmentCode, build_annulment_xml
from finance.nav.answers import TransactionStatus
from finance.nav.client import NavClient
from finance.nav.errors import AnswerNotUnderstood, NavError, Refused
from finance.services.reporting import channel, queue
from finance.services.reporting.connection import connect, endpoint
from finance.services.reporting.findings import findings_of

DECISION_POLL = timedelta(minutes=1)
"""How often the NAV is asked for the decision; a person takes it, so it may be days."""

_FORGOTTEN_HELD = "the NAV forgot this annulment and holds the number: asked for again"
_FORGOTTEN = "the NAV forgot this annulment and holds the number no longer: counts as annulled"

_VERDICTS = {
    "VERIFICATION_PENDING": "pending", "VERIFICATION_DONE": "done", "VERIFICATION_REJECTED": "rejected",
    "NOT_VERIFIABLE": "refused",
}  # fmt: skip


def request_annulment(invoice_id: int, *, code: str, reason: str, actor: Actor) -> int:
    """Ask for the annulment of a report; it is sent by the outbox. Returns its id.

    Raises:
        NotInThisState: the document is not reported, or an annulment of it is open already.
        NotFound: there is no such report.
    """
    now = timezone.now()
    with module_transaction("finance"):
        found = NavSubmission.objects.select_for_update().filter(pk=invoice_id).first()
        if found is None:
            raise NotFound(f"document {invoice_id} has no report")
        if found.state != NavSubmission.State.DONE:
            raise NotInThisState(f"Only a report that the NAV has can be annulled; {found}")
        if found.annulments.filter(state__in=OPEN_ANNULMENT).exists():
            raise NotInThisState(f"An annulment of {found.number} is under way already")
        try:
            xml = build_annulment_xml(found.number, AnnulmentCode(code), reason, now)
        except ValueError as error:
            raise NotInThisState(f"The annulment needs a reason and a known code: {error}") from error
        made = NavAnnulment.objects.create(
            submission=found, code=code, reason=reason, requested_by=actor.name, requested_at=now, xml=xml
        )
    return int(made.pk)


def send_annulments(client: NavClient | None = None) -> int:
    """Send annulments that wait, each as a request of its own: the decision is told per request. Returns how many."""
    ours, name = client or connect(), endpoint()
    count = 0
    while not channel.is_paused(name) and (row := _claim()):
        count += _send(ours, name, row)
    return count


def documents_of(batch_id: int) -> list[bytes]:
    """What was sent in an annulment's request."""
    return [bytes(a.xml) for a in NavAnnulment.objects.filter(batch_id=batch_id)]


def apply(batch_id: int, status: TransactionStatus, look_after: timedelta) -> str:
    """Write down how far an annulment has come (``status`` has a result); returns ``finished`` or ``pending``."""
    result = status.results[0]
    state = "refused" if result.status == "ABORTED" else _VERDICTS.get(status.annulment or "", "sent")
    messages = findings_of(result)
    is_final = state in ("done", "rejected", "refused")
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_annulment set state = %s, messages = %s, decided_at = case when %s then clock_timestamp() end "
            "where batch_id = %s and state in ('sending', 'sent', 'pending') returning submission_id",
            [state, dump_json(messages), is_final, batch_id],
        )
        row = cur.fetchone()
        if row and state == "done":
            _withdraw(cur, row[0])
        if is_final:
            cur.execute(
                "update nav_batch set state = 'finished', finished_at = clock_timestamp() where id = %s", [batch_id]
            )
    if not is_final:
        is_pending = state == "pending"
        queue.look_again(batch_id, DECISION_POLL if is_pending else look_after, is_known=is_pending)
    return "finished" if is_final else "pending"


def not_known(client: NavClient, batch_id: int) -> str:
    """The NAV took an annulment in and forgot it: asked for again while the number is held, else it has taken effect.

    Raises:
        NavError: the NAV cannot be reached; nothing is decided.
    """
    found = NavAnnulment.objects.select_related("submission").get(batch_id=batch_id)
    try:
        is_held = client.query_invoice_data(found.submission.number) is not None
    except (Refused, AnswerNotUnderstood) as error:
        queue.look_again(batch_id, DECISION_POLL, f"what is held of an annulled number cannot be read: {error}")
        return "pending"
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_annulment set state = %s, next_at = clock_timestamp(), "
            "decided_at = case when not %s then clock_timestamp() end "
            "where batch_id = %s and state in ('sending', 'sent', 'pending') returning submission_id",
            ["waiting" if is_held else "done", is_held, batch_id],
        )
        row = cur.fetchone()
        if row and not is_held:
            _withdraw(cur, row[0])
        cur.execute(
            "update nav_batch set state = 'not_taken_in', finished_at = clock_timestamp(), error = %s where id = %s",
            [_FORGOTTEN_HELD if is_held else _FORGOTTEN, batch_id],
        )
    return "not_taken_in"


def _withdraw(cur: Any, invoice_id: int) -> None:
    cur.execute(
        "update nav_submission set state = 'annulled', reported = '[]', transaction_id = '' "
        "where (invoice_id = %s or base_id = %s) and state = 'done'",
        [invoice_id, invoice_id],
    )


def _claim() -> dict[str, Any] | None:
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            """update nav_annulment set next_at = clock_timestamp() + make_interval(secs => %s)
               where id = (select id from nav_annulment where state = 'waiting' and next_at <= clock_timestamp()
                           order by id limit 1 for update skip locked)
               returning id, xml""",
            [queue.LEASE_S],
        )
        rows = rows_as_dicts(cur)
    return rows[0] if rows else None


def _send(client: NavClient, name: str, row: dict[str, Any]) -> int:
    from finance.services.reporting.outbox import rest, send_noted

    try:
        prepared = client.prepare_annulments([bytes(row["xml"])])
        batch_id = queue.note_annulment_batch(row["id"], prepared, name)
    except NavError as error:
        with module_transaction("finance"):
            NavAnnulment.objects.filter(pk=row["id"], state="waiting").update(next_at=timezone.now())
        rest(name, error)
        return 0
    fault_point("nav:annulment_noted")
    return int(send_noted(client, name, prepared, batch_id))
