"""Follows batches to their end: polls what was taken in, and finds out about batches without a clear answer."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from erp.db import cursor, module_transaction, rows_as_dicts
from erp.fields import dump_json
from finance.nav.answers import ProcessingResult, TransactionStatus
from finance.nav.client import NavClient
from finance.nav.errors import AnswerNotUnderstood, NavError, Refused
from finance.nav.recovery import RecoveryOutcome, find_submission
from finance.nav.signing import sha3_512
from finance.nav.xmlread import unpacked
from finance.services.reporting import annulling, channel, queue
from finance.services.reporting.connection import connect, endpoint, recovery_wait
from finance.services.reporting.findings import findings_of
from finance.services.reporting.outbox import rest

logger = logging.getLogger(__name__)

FIRST_POLL_S, LONGEST_POLL_S = 1.0, 60.0
UNKNOWN_AFTER = 12
"""Polls, about five minutes, after which a batch that the NAV knows nothing of is looked up by its numbers."""
_HELD_BEFORE = "INVOICE_NUMBER_NOT_UNIQUE"


def follow(client: NavClient | None = None, *, limit: int = 100) -> dict[str, int]:
    """Ask about every batch that is due; returns counts. Safe to run in several workers at once."""
    ours, name = client or connect(), endpoint()
    counts: Counter[str] = Counter()
    wait = recovery_wait()
    if channel.is_paused(name):
        return {}
    for states, older_than, ask in ((("taken_in",), timedelta(), poll), (("prepared", "unknown"), wait, recover)):
        for batch in queue.claim_batches(name, states, older_than, limit):
            try:
                counts[ask(ours, batch)] += 1
            except NavError as error:
                queue.look_again(batch["id"], timedelta(seconds=_pause_s(batch["polls"])), str(error))
                rest(name, error)
                return dict(counts)
    return dict(counts)


def poll(client: NavClient, batch: dict[str, Any]) -> str:
    """Ask what became of a batch's documents and write it down; returns ``finished`` or ``pending``."""
    status = client.query_transaction_status(batch["transaction_id"])
    return _apply(client, batch, status)


def recover(client: NavClient, batch: dict[str, Any]) -> str:
    """Find out whether a batch without a clear answer was taken in; only if not do its reports wait again."""
    with cursor("finance") as cur:
        cur.execute("select transaction_id from nav_batch where transaction_id is not null and id <> %s", [batch["id"]])
        known = {row[0] for row in cur.fetchall()}
    wait = recovery_wait()
    found = find_submission(client, _documents(batch), batch["sent_at"], known, wait=wait)
    if found.outcome is RecoveryOutcome.TOO_EARLY:
        queue.look_again(batch["id"], timedelta(seconds=FIRST_POLL_S))
        return "pending"
    if found.outcome is RecoveryOutcome.NOT_TAKEN_IN:
        queue.note_outcome(batch["id"], "not_taken_in", error="the NAV has no such batch: sent again")
        return "not_taken_in"
    queue.note_outcome(batch["id"], "taken_in", transaction_id=found.transaction_id)
    return _apply(client, {**batch, "transaction_id": found.transaction_id}, found.status)


def _documents(batch: dict[str, Any]) -> list[bytes]:
    if batch["is_annulment"]:
        return annulling.documents_of(batch["id"])
    with cursor("finance") as cur:
        cur.execute("select xml from nav_item where batch_id = %s order by index_no", [batch["id"]])
        return [unpacked(bytes(row[0])) for row in cur.fetchall()]


def _apply(client: NavClient, batch: dict[str, Any], status: TransactionStatus | None) -> str:
    channel.is_open(endpoint())
    if status is None or not status.results:
        return _not_known(client, batch)
    if batch["is_annulment"]:
        return annulling.apply(batch["id"], status, timedelta(seconds=_pause_s(batch["polls"])))
    is_final = all(result.is_final for result in status.results) and len(status.results) == batch["item_count"]
    _apply_results(batch, status.results)
    for result in status.results:
        if result.status == "ABORTED" and any(m.code == _HELD_BEFORE for m in result.business):
            _accept_what_is_held(client, batch["id"], result.index)
    # Finished last: whatever happens before, the batch is asked about again.
    if is_final:
        queue.finish(batch["id"])
        return "finished"
    queue.look_again(batch["id"], timedelta(seconds=_pause_s(batch["polls"])))
    return "pending"


def _not_known(client: NavClient, batch: dict[str, Any]) -> str:
    """The NAV took a batch in and knows nothing of it: in the end only what it does not hold is sent again.

    An annulment is asked for again while the NAV holds its number.
    """
    if batch["polls"] < UNKNOWN_AFTER:
        queue.look_again(batch["id"], timedelta(seconds=_pause_s(batch["polls"])), "the NAV does not know it yet")
        return "pending"
    if batch["is_annulment"]:
        return annulling.not_known(client, batch["id"])
    for index in range(1, int(batch["item_count"]) + 1):
        _accept_what_is_held(client, batch["id"], index)
    queue.give_up(batch["id"], "the NAV forgot this batch: what it does not hold is sent again")
    return "not_taken_in"


_APPLY = """
with r as (
  select * from jsonb_to_recordset(%(results)s::jsonb)
    r(index_no int, status text, messages jsonb, has_warnings boolean, is_final boolean)
), i as (
  update nav_item t set status = r.status, messages = r.messages,
    finished_at = case when r.is_final then clock_timestamp() end
  from r where t.batch_id = %(batch)s and t.index_no = r.index_no and t.finished_at is null
  returning t.id, t.submission_id, t.totals, r.status, r.messages, r.has_warnings
)
update nav_submission s set messages = i.messages, has_warnings = i.has_warnings,
  transaction_id = %(transaction_id)s,
  state = case i.status when 'DONE' then 'done' when 'ABORTED' then 'refused' else 'sent' end,
  done_at = case when i.status = 'DONE' then clock_timestamp() end,
  reported = case when i.status = 'DONE' then i.totals else '[]' end
from i where s.invoice_id = i.submission_id and s.item_id = i.id and s.state in ('sending', 'sent')"""


def _apply_results(batch: dict[str, Any], results: Sequence[ProcessingResult]) -> None:
    """Write down the fate of each document; what is final never changes again."""
    rows = [
        {
            "index_no": r.index, "status": r.status, "messages": findings_of(r), "has_warnings": r.has_warnings,
            "is_final": r.is_final,
        }
        for r in results
    ]  # fmt: skip
    values = {"results": dump_json(rows), "batch": batch["id"], "transaction_id": batch["transaction_id"]}
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(_APPLY, values)


def _accept_what_is_held(client: NavClient, batch_id: int, index: int) -> None:
    """When the NAV holds this number, and it is one of our own reports of this document, it is reported."""
    try:
        with cursor("finance") as cur:
            cur.execute(
                "select s.number, s.invoice_id from nav_item i join nav_submission s on s.item_id = i.id "
                "where i.batch_id = %s and i.index_no = %s and s.state in ('refused', 'sent')",
                [batch_id, index],
            )
            row = cur.fetchone()
        held = client.query_invoice_data(row[0]) if row else None
    except (Refused, AnswerNotUnderstood) as error:
        logger.warning("NAV: what is held of a number used before cannot be read: %s", error)
        return
    if held is None or row is None:
        return
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "select id, totals from nav_item where submission_id = %s and hash = %s order by id desc limit 1",
            [row[1], sha3_512(held.xml.decode("utf-8", "replace"))],
        )
        mine = rows_as_dicts(cur)
        if mine:
            cur.execute(
                "update nav_submission set state = 'done', item_id = %s, transaction_id = %s, "
                "done_at = clock_timestamp(), reported = %s, messages = '[]' "
                "where invoice_id = %s and state in ('refused', 'sent')",
                [mine[0]["id"], held.transaction_id, mine[0]["totals"], row[1]],
            )


def _pause_s(polls: int) -> float:
    return min(LONGEST_POLL_S, FIRST_POLL_S * 2.0 ** min(polls - 1, 10))
