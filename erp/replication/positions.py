"""Positions of copies: how far each (entity, reader) has come and how old it is, by the reader's own clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from erp import ownership
from erp.db import cursor, module_transaction, rows_as_dicts
from erp.ownership import Entity

PAIR_LOCK_CLASS = 0x45525001  # advisory lock: one run at a time per (entity, source, reader)
PENDING_LIMIT = 10_000  # counting stops here: a board must not scan a backlog of millions


@dataclass(frozen=True)
class PairState:
    """One line of the consistency board."""

    entity: str
    owner: str
    reader: str
    window_s: int
    age_s: float | None  # None: never filled, or the reader's clock was set back
    worst_age_s: float | None  # in the last hour
    position: int | None  # tick of the latest run
    as_of: datetime | None
    pending: int  # owner's rows that the copy has not confirmed yet
    attached: bool
    detached_reason: str = ""
    filled: bool = True  # from every writer at least once

    @property
    def age_in_words(self) -> str:
        """The age as a sentence ends with it; what is not known is not called never."""
        if self.age_s is not None:
            return f"{self.age_s:.1f} s old"
        return "of unknown age (the reader's clock was set back)" if self.filled else "never filled"

    @property
    def breached(self) -> bool:
        """Whether the copy is older than its window although it is attached."""
        return self.attached and (self.age_s is None or self.age_s > self.window_s) and self.window_s > 0

    def as_json(self) -> dict[str, Any]:
        """Plain data for the command and the board."""
        data = asdict(self)
        data["breached"] = self.breached
        return data


def position(entity: Entity, source: str, reader: str) -> dict[str, Any] | None:
    """Position row of one source of a windowed copy, with its age in seconds.

    The age is not known (None) when the reader's clock was set back behind the run's beginning.
    """
    with cursor(reader) as cur:
        cur.execute(
            """select tick, lo::text, system_identifier, began_at, applied_at,
                      case when clock_timestamp() >= began_at
                           then extract(epoch from clock_timestamp() - began_at)::float8 end as age_s
               from copy_position where entity = %s and source = %s""",
            [entity.name, source],
        )
        rows = rows_as_dicts(cur)
    return rows[0] if rows else None


def pair_key(entity: Entity, source: str, reader: str) -> int:
    """Advisory lock key of a pair, under PAIR_LOCK_CLASS."""
    return ownership.windowed_pairs().index((entity, source, reader))


_RUN = """
select exists (select from pg_locks where locktype = 'advisory' and granted and classid = %s and objid = %s
  and objsubid = 2 and database = (select oid from pg_database where datname = current_database()))"""


def is_run_under_way(entity: Entity, source: str, reader: str) -> bool:
    """Whether a run or a rebuild of a windowed copy holds its lock just now."""
    with cursor(source) as cur:
        cur.execute(_RUN, [PAIR_LOCK_CLASS, pair_key(entity, source, reader)])
        return bool(cur.fetchone()[0])


def worst_age_s(entity: Entity, source: str, reader: str, last_s: int = 3600) -> float | None:
    """Largest age the copy reached in the last ``last_s`` seconds, counted at the end of each run."""
    with cursor(reader) as cur:
        cur.execute(
            """select max(worst_age_s) from copy_tick
               where entity = %s and source = %s and applied_at > clock_timestamp() - make_interval(secs => %s)""",
            [entity.name, source, last_s],
        )
        found = cur.fetchone()[0]
    return None if found is None else float(found)


def attachment(entity: Entity, source: str, reader: str) -> tuple[bool, str]:
    """(attached, reason) of a reader at one writer of the entity."""
    with cursor(source) as cur:
        cur.execute(
            "select attached, reason from reader_state where entity = %s and reader = %s", [entity.name, reader]
        )
        row = cur.fetchone()
    return (bool(row[0]), str(row[1])) if row else (True, "")


def pending_rows(entity: Entity, source: str, lo: str | None) -> int:
    """Owner's rows written since the copy's low mark, counted up to PENDING_LIMIT."""
    bounds = "where xid >= %s::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot())"
    condition, arguments = (bounds, [lo]) if lo else ("", [])
    with cursor(source) as cur:
        cur.execute(
            f"select count(*) from (select 1 from {entity.table} {condition} limit {PENDING_LIMIT}) x", arguments
        )
        return int(cur.fetchone()[0])


def _windowed_state(entity: Entity, reader: str) -> PairState:
    ages: list[float | None] = []
    worsts: list[float] = []
    ticks: list[int] = []
    as_of: list[datetime] = []
    pending, attached, reason = 0, True, ""
    for source in entity.sources_of(reader):
        here = position(entity, source, reader)
        is_attached, why = attachment(entity, source, reader)
        attached, reason = attached and is_attached, reason or why
        ages.append(here["age_s"] if here else None)
        pending += pending_rows(entity, source, here["lo"] if here else None)
        if here:
            ticks.append(here["tick"])
            as_of.append(here["began_at"])
            worst = worst_age_s(entity, source, reader)
            worsts.append(max(here["age_s"] or 0.0, worst or 0.0))
    known = [a for a in ages if a is not None]
    age = max(known) if len(known) == len(ages) and known else None
    return PairState(
        entity.name, entity.owner, reader, entity.window_s,
        age_s=age,
        worst_age_s=max(worsts) if worsts else None,
        position=min(ticks) if ticks else None,
        as_of=min(as_of) if as_of else None,
        pending=pending, attached=attached, detached_reason=reason, filled=len(ticks) == len(ages),
    )  # fmt: skip


def pair_state(entity: Entity, reader: str) -> PairState:
    """State of one copy, now. Instant copies have age 0 while attached."""
    if not entity.is_instant:
        return _windowed_state(entity, reader)
    attached, reason = attachment(entity, entity.owner, reader)
    age = 0.0 if attached else _detached_for_s(entity, reader)
    return PairState(
        entity.name, entity.owner, reader, 0, age_s=age, worst_age_s=age, position=None, as_of=None, pending=0,
        attached=attached, detached_reason=reason,
    )  # fmt: skip


def _detached_for_s(entity: Entity, reader: str) -> float:
    with cursor(entity.owner) as cur:
        cur.execute(
            "select extract(epoch from clock_timestamp() - changed_at)::float8 from reader_state "
            "where entity = %s and reader = %s",
            [entity.name, reader],
        )
        return float(cur.fetchone()[0])


def all_pairs() -> list[PairState]:
    """The consistency board: every (entity, reader) of the map."""
    return [pair_state(entity, reader) for entity in ownership.ENTITIES for reader in entity.readers]


def prune_ticks(keep_days: int = 8) -> None:
    """Delete the tick log beyond ``keep_days``."""
    for reader in ownership.MODULES:
        if any(not e.is_instant for e in ownership.entities_read_by(reader)):
            with module_transaction(reader), cursor(reader) as cur:
                cur.execute("delete from copy_tick where applied_at < now() - make_interval(days => %s)", [keep_days])
