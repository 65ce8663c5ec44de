"""The outbox's rows: claimed, noted down before they are sent, and what came of it; one transaction per function."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from erp.db import cursor, fetch_prepared, module_transaction, rows_as_dicts
from erp.fields import dump_json
from finance.errors import NotInThisState
from finance.nav.client import PreparedBatch
from finance.nav.exchange import Exchange, redact
from finance.nav.messages import InvoiceOperation

LEASE_S = 180
"""How long a claimed report is left alone: longer than building a batch and asking for its token can take."""

# A change waits until the NAV has its base and all changes before it, and until no annulment of its base is open.
_CLAIM = """
with due as (
  select s.invoice_id from nav_submission s
  where s.state = 'waiting' and s.alone = %(alone)s and s.next_at <= clock_timestamp()
    and (s.base_id is null or not exists (
      select 1 from nav_submission b
      where (b.invoice_id = s.base_id or (b.base_id = s.base_id and b.modification_index < s.modification_index))
        and b.state <> 'done'))
    and not exists (
      select 1 from nav_annulment a where a.submission_id in (s.base_id, s.invoice_id)
        and a.state in ('waiting', 'sending', 'sent', 'pending'))
  order by s.invoice_id limit %(limit)s for update of s skip locked
)
update nav_submission s set claim = %(claim)s, attempts = s.attempts + 1,
  next_at = clock_timestamp() + make_interval(secs => %(lease)s)
from due where s.invoice_id = due.invoice_id
returning s.invoice_id, s.number, s.operation, s.attempts"""


@dataclass(frozen=True)
class Claim:
    """Reports that one worker prepares; nobody else touches them until the lease is over."""

    token: uuid.UUID
    rows: Sequence[dict[str, Any]]

    @property
    def ids(self) -> list[int]:
        """Their documents, in order."""
        return sorted(row["invoice_id"] for row in self.rows)


@dataclass(frozen=True)
class Ready:
    """A report that is built and checked."""

    invoice_id: int
    operation: InvoiceOperation
    hash: str
    totals: list[dict[str, Any]]


def claim_reports(limit: int) -> Claim:
    """Claim what is due, oldest first; one that was refused within a batch is claimed by itself."""
    for alone, most in ((False, limit), (True, 1)):
        token = uuid.uuid4()
        values: dict[str, Any] = {"alone": alone, "limit": most, "claim": token, "lease": LEASE_S}
        with module_transaction("finance"), cursor("finance") as cur:
            cur.execute(_CLAIM, values)
            rows = rows_as_dicts(cur)
        if rows:
            return Claim(token, rows)
    return Claim(uuid.uuid4(), [])


def release(claim: Claim, invoice_ids: Sequence[int], after: timedelta = timedelta()) -> None:
    """Give claimed reports back; they are due again after a while."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_submission set claim = null, next_at = clock_timestamp() + make_interval(secs => %s) "
            "where invoice_id = any(%s::bigint[]) and claim = %s and state = 'waiting'",
            [after.total_seconds(), list(invoice_ids), claim.token],
        )


def block(claim: Claim, problems: dict[int, list[str]]) -> None:
    """Reports that cannot be made as their documents are: a person has to look."""
    rows = [
        {
            "id": key,
            "messages": [{"result": "ERROR", "code": "NOT_REPORTABLE", "message": text} for text in texts],
        }
        for key, texts in problems.items()
    ]
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_submission s set state = 'blocked', claim = null, messages = r.messages "
            "from jsonb_to_recordset(%s::jsonb) r(id bigint, messages jsonb) "
            "where s.invoice_id = r.id and s.claim = %s and s.state = 'waiting'",
            [dump_json(rows), claim.token],
        )


def note_batch(claim: Claim, prepared: PreparedBatch, reports: Sequence[Ready], endpoint: str) -> int:
    """Write down a batch that is about to be sent; from here on it is sent, or found out about, never forgotten.

    Raises:
        NotInThisState: the lease ran out and somebody else has taken a report; nothing is written.
    """
    with module_transaction("finance"):
        batch_id = _insert_batch(prepared, endpoint, is_annulment=False)
        done = fetch_prepared(
            "finance",
            """with i as (
                 insert into nav_item (batch_id, index_no, submission_id, xml, hash, totals)
                 select %s::bigint, r.n, r.id, r.xml, r.hash, r.totals
                 from unnest(%s::bigint[], %b::bytea[], %s::text[], %s::jsonb[])
                   with ordinality r(id, xml, hash, totals, n)
                 returning id, submission_id
               )
               update nav_submission s set state = 'sending', claim = null, item_id = i.id, messages = '[]',
                 transaction_id = '', has_warnings = false
               from i where s.invoice_id = i.submission_id and s.claim = %s::uuid and s.state = 'waiting'
               returning s.invoice_id""",
            [
                batch_id, [r.invoice_id for r in reports], [r.operation.packed for r in reports],
                [r.hash for r in reports], [dump_json(r.totals) for r in reports],
                claim.token,
            ],
        )  # fmt: skip
        if len(done) != len(reports):
            raise NotInThisState("A report was taken by another worker after the lease ran out")
    return batch_id


def note_annulment_batch(annulment_id: int, prepared: PreparedBatch, endpoint: str) -> int:
    """The same for one annulment."""
    with module_transaction("finance"), cursor("finance") as cur:
        batch_id = _insert_batch(prepared, endpoint, is_annulment=True)
        cur.execute(
            "update nav_annulment set state = 'sending', batch_id = %s where id = %s and state = 'waiting'",
            [batch_id, annulment_id],
        )
        if cur.rowcount != 1:
            raise NotInThisState("The annulment is being sent already")
    return batch_id


def _insert_batch(prepared: PreparedBatch, endpoint: str, *, is_annulment: bool) -> int:
    values: list[Any] = [is_annulment, endpoint, prepared.request_id, prepared.item_count, prepared.timestamp]
    with cursor("finance") as cur:
        cur.execute(
            "insert into nav_batch (is_annulment, endpoint, request_id, state, item_count, sent_at, request, response, "
            "error, polls) values (%s, %s, %s, 'prepared', %s, %s, %s, '', '', 0) returning id",
            [*values, redact(prepared.body)],
        )
        return int(cur.fetchone()[0])


_OUTCOME = """
update nav_batch set state = %(state)s, transaction_id = coalesce(%(transaction_id)s, transaction_id),
  response = coalesce(%(response)s, response),
  http_status = coalesce(%(http_status)s, http_status), answered_at = coalesce(%(answered_at)s, answered_at),
  error = %(error)s, next_at = clock_timestamp() + make_interval(secs => %(wait)s),
  finished_at = case when %(state)s in ('not_taken_in', 'refused') then clock_timestamp() end
where id = %(id)s and state in ('prepared', 'unknown')
returning id"""


def note_outcome(
    batch_id: int, state: str, *, exchange: Exchange | None = None, transaction_id: str | None = None,
    error: str = "", wait: timedelta = timedelta(), alone: bool = False,
) -> bool:  # fmt: skip
    """Write down what became of a batch after it was sent, and what follows for its reports.

    Taken in: they are *sent*. Not taken in or refused: they wait again, with ``alone`` each by itself. Unknown: they
    stay as they are until it is known. Returns whether this was news.
    """
    values: dict[str, Any] = {
        "id": batch_id, "state": state, "transaction_id": transaction_id, "error": error, "wait": wait.total_seconds(),
        "response": exchange.response if exchange else None,
        "http_status": exchange.http_status if exchange else None,
        "answered_at": exchange.answered_at if exchange else None,
    }  # fmt: skip
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(_OUTCOME, values)
        if cur.fetchone() is None:
            return False
        if state == "taken_in":
            _move(cur, batch_id, "sent", transaction_id=transaction_id or "")
        elif state in {"not_taken_in", "refused"}:
            _move(cur, batch_id, "waiting", alone=alone)
    return True


def _move(cur: Any, batch_id: int, state: str, *, transaction_id: str = "", alone: bool = False) -> None:
    cur.execute(
        "update nav_submission s set state = %s, transaction_id = %s, alone = s.alone or %s, "
        "next_at = clock_timestamp() "
        "  + make_interval(secs => case when %s then least(300, power(2, s.attempts)) else 0 end) "
        "from nav_item i where i.batch_id = %s and s.item_id = i.id and s.state = 'sending'",
        [state, transaction_id, alone, state == "waiting", batch_id],
    )
    cur.execute(
        "update nav_annulment set state = %s, next_at = clock_timestamp() where batch_id = %s and state = 'sending'",
        [state, batch_id],
    )


def refuse_alone(batch_id: int, code: str, message: str, exchange: Exchange | None) -> None:
    """A batch of one that the NAV refuses as a whole: its content is at fault, so a person has to look."""
    messages = dump_json([{"result": "ERROR", "code": code, "message": message}])
    with module_transaction("finance"), cursor("finance") as cur:
        note_outcome(batch_id, "refused", exchange=exchange, error=f"{code}: {message}"[:2000])
        cur.execute(
            "update nav_submission s set state = 'refused', messages = %s from nav_item i "
            "where i.batch_id = %s and s.item_id = i.id and s.state = 'waiting'",
            [messages, batch_id],
        )
        cur.execute(
            "update nav_annulment set state = 'refused', messages = %s where batch_id = %s and state = 'waiting'",
            [messages, batch_id],
        )


def claim_batches(endpoint: str, states: Sequence[str], older_than: timedelta, limit: int) -> list[dict[str, Any]]:
    """An endpoint's batches that are to be asked about now; each is left alone by others for a minute."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            """update nav_batch b set next_at = clock_timestamp() + interval '90 s', polls = polls + 1
               where id = any(array(
                 select id from nav_batch where endpoint = %s and state = any(%s) and next_at <= clock_timestamp()
                   and sent_at <= clock_timestamp() - make_interval(secs => %s)
                 order by next_at, id limit %s for update skip locked))
               returning id, is_annulment, endpoint, transaction_id, sent_at, polls, item_count""",
            [endpoint, list(states), older_than.total_seconds(), limit],
        )
        return sorted(rows_as_dicts(cur), key=lambda row: int(row["id"]))


def look_again(batch_id: int, after: timedelta, error: str = "", *, is_known: bool = False) -> None:
    """Ask about a batch again after a while; of one that the NAV knows the polls are counted anew."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_batch set next_at = clock_timestamp() + make_interval(secs => %s), error = %s, "
            "polls = case when %s then 0 else polls end where id = %s",
            [after.total_seconds(), error[:2000], is_known, batch_id],
        )


def finish(batch_id: int) -> None:
    """The fate of all documents of a batch is written down."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_batch set state = 'finished', finished_at = clock_timestamp(), error = '' "
            "where id = %s and state = 'taken_in'",
            [batch_id],
        )


def give_up(batch_id: int, error: str) -> None:
    """A batch that was taken in is lost: those of its reports that are not done wait again."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_batch set state = 'not_taken_in', finished_at = clock_timestamp(), error = %s "
            "where id = %s and state = 'taken_in'",
            [error, batch_id],
        )
        if cur.rowcount:
            cur.execute(
                "update nav_submission s set state = 'waiting', transaction_id = '', next_at = clock_timestamp() "
                "from nav_item i where i.batch_id = %s and s.item_id = i.id and s.state = 'sent'",
                [batch_id],
            )
