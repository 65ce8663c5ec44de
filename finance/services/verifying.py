"""Reads the chains of entries and documents in batches and names what was altered, first things first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from erp.db import cursor, module_transaction, rows_as_dicts
from erp.fields import load_json
from finance.models import SealMark
from finance.services import chain_sql as sql
from finance.services.chain_damage import Damage, differences

BATCH = 5_000
WHOLE_UP_TO = 100_000  # entries; larger books are verified from the last verified seal unless asked in full
DAMAGES_NAMED = 20
LEDGER = "ledger"


FULL_EVERY = timedelta(days=7)


@dataclass
class Verification:
    """What was verified and what was found; damages in the order of the chains."""

    entries: int = 0
    documents: int = 0
    from_no: int = 0
    last_no: int = 0
    last_hash: str = ""
    is_full: bool = True
    damages: list[Damage] = field(default_factory=list)

    @property
    def first(self) -> Damage | None:
        """The first altered row."""
        return self.damages[0] if self.damages else None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        status = "damaged" if self.damages else "ok"
        return {"status": status, "first": asdict(self.first) if self.first else None, **asdict(self)}


@dataclass(frozen=True)
class Chain:
    """One chain: the ledger's, or a document series' of one year."""

    name: str
    head_no: int
    head_hash: bytes
    batch_sql: str
    arguments: dict[str, Any]
    mark: SealMark | None

    @property
    def is_ledger(self) -> bool:
        """Whether it holds entries."""
        return self.name == LEDGER


def verify_chains(
    *, full: bool | None, progress: Callable[[int, int], None] | None, pause: Callable[[], None] | None
) -> Verification:
    """See :func:`finance.services.sealing.verify`."""
    chains, lo = _chains()
    result = Verification(last_no=chains[0].head_no, last_hash=chains[0].head_hash.hex())
    if full is None:
        full = sum(chain.head_no for chain in chains) <= WHOLE_UP_TO
    starts = {chain.name: _start(chain, full, result) for chain in chains}
    result.is_full, result.from_no = not any(no for no, _ in starts.values()), starts[LEDGER][0]
    to_do = sum(max(chain.head_no - starts[chain.name][0], 0) for chain in chains)
    for chain in chains:
        before = len(result.damages)
        for _ in _walk(chain, *starts[chain.name], result):
            if progress:
                progress(result.entries + result.documents, to_do)
            if pause:
                pause()
        _look_outside(chain, starts[chain.name][0], lo, result)
        if len(result.damages) == before:
            _keep_mark(chain, lo, is_full=not starts[chain.name][0])
    return result


def is_full_due() -> bool:
    """Whether a chain was not verified from its beginning for a week."""
    return not SealMark.objects.filter(chain=LEDGER, full_at__gt=timezone.now() - FULL_EVERY).exists()


def _chains() -> tuple[list[Chain], str]:
    """Every chain with its end as it is now, the ledger's first; and the low mark of the sealer."""
    marks = {mark.chain: mark for mark in SealMark.objects.all()}
    with cursor("finance") as cur:
        cur.execute("select last_no, last_hash, lo::text from seal_head where id = 1")
        last_no, last_hash, lo = cur.fetchone() or (0, b"", "0")
        cur.execute(sql.SERIES)
        series = rows_as_dicts(cur)
    chains = [Chain(LEDGER, last_no, bytes(last_hash), sql.ENTRIES, {}, marks.get(LEDGER))]
    for row in series:
        name = f"{row['series']} {row['fiscal_year']}"
        of = {"series": row["series"], "year": row["fiscal_year"]}
        chains.append(Chain(name, row["last_no"], bytes(row["last_hash"] or b""), sql.DOCUMENTS, of, marks.get(name)))
    return chains, lo


def _start(chain: Chain, full: bool, result: Verification) -> tuple[int, bytes]:
    """Where to begin: after the last verified seal if that stands as it was, else at the beginning."""
    mark = chain.mark
    if mark is None:
        return 0, b""
    if chain.head_no < mark.no:
        result.damages.append(
            Damage("seal", chain.name, f"{chain.name}: verified up to {mark.no}, but it now ends at {chain.head_no}")
        )
        return 0, b""
    if full:
        return 0, b""
    with cursor("finance") as cur:
        cur.execute(sql.HASH_OF_ENTRY if chain.is_ledger else sql.HASH_OF_DOCUMENT, {**chain.arguments, "no": mark.no})
        row = cur.fetchone()
    # A seal that is not what was verified: the beginning tells which row it was.
    return (mark.no, bytes(mark.hash)) if row and bytes(row[0]) == bytes(mark.hash) else (0, b"")


def _walk(chain: Chain, after: int, before: bytes, result: Verification) -> Iterator[None]:
    while True:
        arguments = {**chain.arguments, "after": after, "before": before, "head": chain.head_no, "limit": BATCH}
        with module_transaction("finance"), cursor("finance") as cur:
            cur.execute("set local statement_timeout = 0")
            cur.execute(chain.batch_sql, arguments)
            (batch,) = rows_as_dicts(cur)
        for row in load_json(batch["wrong"]) or ():
            _add(result, differences(chain.name, row, is_entry=chain.is_ledger))
        if not batch["seen"]:
            break
        after, before = batch["last_no"], bytes(batch["last_hash"])
        if chain.is_ledger:
            result.entries += batch["seen"]
        else:
            result.documents += batch["seen"]
        yield
    if after < chain.head_no:
        gone = f"{after + 1}" if after + 1 == chain.head_no else f"{after + 1} to {chain.head_no}"
        _add(result, [Damage("seal", f"{chain.name} {after + 1}", f"{chain.name}: seals {gone} are gone")])
    elif before != chain.head_hash:
        _add(result, [Damage("seal", f"{chain.name} {after}", f"{chain.name}: its end is not what was sealed last")])


def _look_outside(chain: Chain, after: int, lo: str, result: Verification) -> None:
    """Rows that came past the rules, so that no seal knows them, and seals beyond the chain's end."""
    mark_lo = chain.mark.lo if chain.mark and after else None
    arguments = {**chain.arguments, "after": after, "head": chain.head_no, "lo": lo, "mark_lo": mark_lo}
    if chain.is_ledger:
        statement = sql.UNSEALED_ENTRIES_SINCE if mark_lo else sql.UNSEALED_ENTRIES
    else:
        statement = sql.UNSEALED_DOCUMENTS
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute("set local statement_timeout = 0")
        cur.execute(statement, arguments)
        _add(result, [Damage(kind, str(key), message) for kind, key, message in cur.fetchall()])


def _add(result: Verification, damages: list[Damage]) -> None:
    result.damages += damages[: max(DAMAGES_NAMED - len(result.damages), 0)]


def _keep_mark(chain: Chain, lo: str, *, is_full: bool) -> None:
    now = timezone.now()
    values = {"no": chain.head_no, "hash": chain.head_hash, "verified_at": now}
    if chain.is_ledger:
        values["lo"] = lo
    if is_full:
        values["full_at"] = now
    with module_transaction("finance"):
        SealMark.objects.update_or_create(chain=chain.name, defaults=values)
