"""What is reported again: after a change of endpoint what another system was told, and what the NAV has lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from erp.db import cursor, module_transaction, rows_as_dicts
from finance.models import NavSubmission
from finance.nav.client import NavClient
from finance.nav.messages import DigestQuery
from finance.services.reporting.connection import endpoint
from finance.services.reporting.hints import hint

LIVE = "live"

_ELSEWHERE = """
from nav_item i join nav_batch b on b.id = i.batch_id, invoice d
where s.item_id = i.id and d.id = s.invoice_id and s.state in ('done', 'sent', 'sending') and b.endpoint <> %s"""


def told_elsewhere() -> dict[str, Any]:
    """Documents that only another system than the live one has: ``count``, ``numbers`` (five), ``due_at``.

    Nothing counts as such unless this installation reports to the live system, and no document issued before the
    setting ``live_since``.
    """
    if endpoint() != LIVE:
        return {"count": 0, "numbers": [], "due_at": None}
    with cursor("finance") as cur:
        cur.execute(
            "select count(*) as count, min(s.due_at) as due_at, (array_agg(s.number order by s.invoice_id))[1:5] "
            "as numbers from nav_submission s join nav_item i on i.id = s.item_id "
            "join nav_batch b on b.id = i.batch_id join invoice d on d.id = s.invoice_id "
            "where s.state in ('done', 'sent', 'sending') and b.endpoint <> %s and d.issued_on >= %s",
            [LIVE, settings.NAV["live_since"]],
        )
        return rows_as_dicts(cur)[0]


_AGAIN = """
update nav_submission s set state = 'waiting', item_id = null, transaction_id = '', messages = '[]', reported = '[]',
  done_at = null, claim = null, attempts = 0, next_at = clock_timestamp()"""


def report_lost(numbers: Sequence[str], client: NavClient) -> list[str]:
    """Queue documents whose reports were done and that the NAV holds no longer; returns those that are.

    Raises:
        NavError: the NAV cannot be asked.
    """
    done = dict(NavSubmission.objects.filter(number__in=numbers, state="done").values_list("number", "issued_on"))
    held = {
        digest.number for day in sorted(set(done.values())) for digest in client.list_digests(DigestQuery((day, day)))
    }
    lost = sorted(done.keys() - held)
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(f"{_AGAIN} where s.number = any(%s) and s.state = 'done'", [lost])
    if lost:
        hint()
    return lost


def report_again() -> list[str]:
    """Queue for the live system what only another one has; returns the documents' numbers."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            f"{_AGAIN} {_ELSEWHERE} and d.issued_on >= %s returning s.number",
            [endpoint(), settings.NAV["live_since"]],
        )
        numbers = sorted(row[0] for row in cur.fetchall())
    if numbers:
        hint()
    return numbers
