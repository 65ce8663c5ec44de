"""Sends what waits: claim, build, token, write down, send once, write down what came of it.

A batch is committed before it is sent, so a kill at any point leaves either reports that still wait, or a batch that
is found out about (`following`); in neither case is anything sent twice or forgotten.
"""

from __future__ import annotations

import logging
import time
from collections import Counter

from erp.faultpoints import fault_point
from finance.errors import NotInThisState
from finance.nav.batches import split_batches
from finance.nav.client import BatchTooLarge, NavClient, PreparedBatch
from finance.nav.errors import CredentialsRefused, NavError, OutcomeUnknown, Refused, TokenRefused, Unavailable
from finance.services.reporting import channel, queue
from finance.services.reporting.building import build_claimed
from finance.services.reporting.connection import connect, endpoint, recovery_wait

logger = logging.getLogger(__name__)

# About the request or our clock, not about a document: sent again as it is once that is mended.
_OUR_FAULT = frozenset(
    {
        "INVALID_TIMESTAMP", "REQUEST_ID_NOT_UNIQUE", "INVALID_REQUEST_VERSION", "INVALID_HEADER_VERSION",
        "INVALID_PASSWORD_HASH_CRYPTO", "INVALID_REQUEST_SIGNATURE_HASH_CRYPTO", "NOT_ALLOWED_EXCEPTION",
    }
)  # fmt: skip


def send_waiting(client: NavClient | None = None, *, for_s: float = 60.0) -> dict[str, int]:
    """Send batch after batch until nothing is due, the way is blocked, or the time is over; returns counts.

    Safe to run in several workers at once.
    """
    ours, name = client or connect(), endpoint()
    counts: Counter[str] = Counter()
    ends_at = time.monotonic() + for_s
    while time.monotonic() < ends_at and not channel.is_paused(name):
        sent = send_batch(ours, name)
        if sent is None:
            break
        counts += sent
    return dict(counts)


def send_batch(client: NavClient, name: str) -> Counter[str] | None:
    """Send one batch of what is due; None when nothing is. The counts: sent, blocked, failed."""
    claim = queue.claim_reports(client.max_batch)
    if not claim.rows:
        return None
    fault_point("nav:claimed")
    built = build_claimed(claim, client.schema)
    if built.problems:
        queue.block(claim, built.problems)
    counts = Counter(blocked=len(built.problems))
    if not built.ready:
        return counts
    batch = next(split_batches([r.operation for r in built.ready], max_count=client.max_batch))
    chosen = built.ready[: len(batch)]
    left = [r.invoice_id for r in built.ready[len(chosen) :]]
    if left:  # too large for one request
        queue.release(claim, left)
    try:
        prepared = client.prepare_invoices(batch, are_checked=True)
        fault_point("nav:prepared")
        batch_id = queue.note_batch(claim, prepared, chosen, name)
    except BatchTooLarge as error:  # several fit by their reckoned size: a single document that is too large packed
        queue.block(claim, {r.invoice_id: [str(error)] for r in chosen})
        return counts + Counter(blocked=len(chosen))
    except NavError as error:
        queue.release(claim, [r.invoice_id for r in chosen])
        rest(name, error)
        return counts + Counter(failed=len(chosen))
    except NotInThisState:  # a worker that slept through its lease
        queue.release(claim, [r.invoice_id for r in chosen])
        return counts
    fault_point("nav:noted")
    is_sent = send_noted(client, name, prepared, batch_id)
    return counts + Counter(**{"sent" if is_sent else "failed": len(chosen)})


def send_noted(client: NavClient, name: str, prepared: PreparedBatch, batch_id: int) -> bool:
    """Send a batch that is written down, once; returns whether the NAV said that it took it in."""
    try:
        submission = client.send(prepared)
    except OutcomeUnknown as error:
        queue.note_outcome(batch_id, "unknown", exchange=error.exchange, error=str(error), wait=recovery_wait())
        rest(name, error)
    except TokenRefused as error:  # used up or too old: the next attempt asks for a new one
        queue.note_outcome(batch_id, "not_taken_in", exchange=error.exchange, error=str(error))
    except CredentialsRefused as error:
        queue.note_outcome(batch_id, "refused", exchange=error.exchange, error=str(error))
        rest(name, error)
    except Refused as error:
        _note_refusal(name, batch_id, prepared, error)
    except Unavailable as error:
        queue.note_outcome(batch_id, "not_taken_in", exchange=error.exchange, error=str(error))
        rest(name, error)
    else:
        fault_point("nav:answered")
        queue.note_outcome(batch_id, "taken_in", exchange=submission.exchange, transaction_id=submission.transaction_id)
        channel.is_open(name)
        return True
    return False


def rest(name: str, error: NavError) -> None:
    """Leave the endpoint alone after a failure, longer when only a person can mend it."""
    logger.warning("NAV %s: %s", name, error)
    needs_a_person = isinstance(error, CredentialsRefused) or (isinstance(error, Refused) and error.code in _OUR_FAULT)
    after_s = error.retry_after_s if isinstance(error, Unavailable) else None
    channel.pause(name, str(error), at_least_s=after_s or 0.0, needs_a_person=needs_a_person)


def _note_refusal(name: str, batch_id: int, prepared: PreparedBatch, error: Refused) -> None:
    """A definite no: our own fault stops the channel; else it is the content, found by sending one at a time."""
    if error.code in _OUR_FAULT:
        queue.note_outcome(batch_id, "refused", exchange=error.exchange, error=str(error))
        rest(name, error)
    elif prepared.item_count > 1:
        queue.note_outcome(batch_id, "refused", exchange=error.exchange, error=str(error), alone=True)
    else:
        details = "; ".join(message.message for message in error.technical) or error.message
        queue.refuse_alone(batch_id, error.code, details, error.exchange)
