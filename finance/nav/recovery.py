"""After a time-out: find out whether the NAV took a batch in, before anything is sent again.

The NAV's procedure: wait five minutes, list what came in around that time, fetch the unknown
batches with their original content, compare. Only when none matches may the batch be sent again.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from finance.nav.answers import TransactionStatus
from finance.nav.client import NavClient

WAIT = timedelta(minutes=5)
# The two clocks may differ, and a batch without an answer may have arrived up to the hard limit later.
_CLOCK_SLACK = timedelta(minutes=5)
_LATEST_ARRIVAL = timedelta(minutes=10)


class RecoveryOutcome(StrEnum):
    """What is known now about a batch without an answer."""

    TAKEN_IN = "taken_in"
    NOT_TAKEN_IN = "not_taken_in"  # it may be sent again
    TOO_EARLY = "too_early"  # the answer would not be reliable yet


@dataclass(frozen=True, slots=True)
class Recovery:
    """The outcome, with the transaction when there is one."""

    outcome: RecoveryOutcome
    transaction_id: str = ""
    status: TransactionStatus | None = None


def find_submission(
    client: NavClient,
    documents: Sequence[bytes],
    sent_at: datetime,
    known_transaction_ids: Container[str] = frozenset(),
    *,
    wait: timedelta = WAIT,
) -> Recovery:
    """Find the batch of `documents` (their XML in index order) that was sent at `sent_at`.

    `known_transaction_ids` are batches already matched to something else. Only asks, so a repeat is
    harmless. Raises `Unavailable` when the NAV cannot be asked: then nothing is known yet.
    """
    now = client.now()
    if now < sent_at + wait:
        return Recovery(RecoveryOutcome.TOO_EARLY)
    until = min(now, sent_at + _LATEST_ARRIVAL)
    for transaction in client.list_transactions(sent_at - _CLOCK_SLACK, until):
        if transaction.transaction_id in known_transaction_ids or transaction.item_count != len(documents):
            continue
        status = client.query_transaction_status(transaction.transaction_id, with_original=True)
        if status is not None and _originals(status) == list(documents):
            return Recovery(RecoveryOutcome.TAKEN_IN, transaction.transaction_id, status)
    return Recovery(RecoveryOutcome.NOT_TAKEN_IN)


def _originals(status: TransactionStatus) -> list[bytes | None]:
    return [result.original for result in sorted(status.results, key=lambda result: result.index)]
