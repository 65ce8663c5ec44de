"""Seals posted entries in the order of their commits, and verifies that nothing sealed was changed since."""

from __future__ import annotations

from collections.abc import Callable

from erp.db import cursor, module_transaction
from finance.serializers.sealing import seal_batch
from finance.services.verifying import Verification, verify_chains

SEAL_EVERY_S = 5
LAG_LIMIT_S = 60.0
BATCH_LINES = 20_000
HOPELESS_S = 1e9

Progress = Callable[[int, int], None]

_LAG = """
select greatest(extract(epoch from clock_timestamp() - greatest(h.ran_at, (
  select min(j.created_at) from journal_line l join journal_entry j on j.id = l.entry_id
  where l.xid >= h.lo and not exists (select 1 from entry_seal s where s.entry_id = l.entry_id)))), 0)::float,
  exists (select 1 from journal_line l where l.xid >= h.lo
          and not exists (select 1 from entry_seal s where s.entry_id = l.entry_id))
from seal_head h where h.id = 1"""


def seal_pending() -> int:
    """Seal every entry that is committed (or of the open transaction); returns how many were sealed.

    Each batch is a transaction of its own, unless one is open. A repeat seals what has come since.
    """
    total = 0
    while True:
        with module_transaction("finance"):
            sealed, is_whole = seal_batch(BATCH_LINES)
        total += sealed
        if is_whole or not sealed:
            return total


def lag_s() -> float:
    """Seconds for which a committed entry has been waiting for its seal; 0 when none waits."""
    with cursor("finance") as cur:
        cur.execute(_LAG)
        row = cur.fetchone()
    if row is None:  # the head is gone: nothing can be sealed until it is restored
        return HOPELESS_S
    return float(row[0] or 0) if row[1] else 0.0


def verify(*, full: bool | None = None, progress: Progress | None = None, pause: Callable[[], None] | None = None,
           seal_first: bool = True) -> Verification:  # fmt: skip
    """Verify the chains of entries and documents, and keep how far they were found whole.

    Args:
        full: from the beginning; False: from the last verified seal; None: the latter, but whole where the books are
            small enough to be read in seconds.
        progress: told (verified, to verify) after every batch.
        pause: called between batches; a throttle.
        seal_first: seal what waits before, so that the newest entries are covered too.
    """
    if seal_first:
        seal_pending()
    return verify_chains(full=full, progress=progress, pause=pause)
