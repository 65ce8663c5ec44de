"""Comparing a copy with its owner: bucket checksums first, single rows only where buckets differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from erp.ownership import Entity
from erp.replication import positions
from erp.scrubber.sides import (
    Buckets,
    Row,
    Side,
    buckets_of,
    copy_side,
    in_flight_keys,
    key_range,
    owner_side,
)

LOOKS = 3  # how often a differing row is looked at again before it counts
REST_S = 0.05  # between looks: what was being written may end
LIST_KEYS = 50  # more mismatched keys than this: repair the whole copy
SUSPECTS = 5_000  # differing rows looked at together: a copy that differs everywhere is counted in parts

Differing = dict[int, tuple[Row | None, Row | None]]
"""Key → (the owner's row, the copy's)."""


@dataclass
class Comparison:
    """What differs between a copy and its owner after the last look: all of it counted, the first keys kept."""

    compared: int = 0
    mismatched: int = 0
    in_flight: int = 0
    differing: Differing = field(default_factory=dict)

    def add(self, differing: Differing, in_flight: int) -> None:
        """Count one part."""
        self.mismatched += len(differing)
        self.in_flight += in_flight
        for key in sorted(differing):
            if len(self.differing) > LIST_KEYS:
                break
            self.differing[key] = differing[key]


def compare_copy(entity: Entity, reader: str, *, pause: Callable[[], None] = lambda: None) -> Comparison:
    """Compare ``reader``'s copy with the owner's rows; differences that are in flight are left out.

    Args:
        pause: called between steps; a throttle.
    """
    return compare_copies(entity, [reader], pause=pause)[reader]


def compare_copies(
    entity: Entity, readers: Sequence[str], *, pause: Callable[[], None] = lambda: None
) -> dict[str, Comparison]:
    """Compare the copies of several readers, each as in :func:`compare_copy`; the owner's rows are read once."""
    pairs = {reader: _Pair(entity, reader) for reader in readers}
    for lo, hi in next(iter(pairs.values())).copy.steps() if pairs else ():
        for reader, owned in _owners_buckets(pairs, lo, hi).items():
            pairs[reader].compare_buckets(owned, lo, hi)
        pause()
    for pair in pairs.values():
        pair.look_again()
    return {reader: pair.done for reader, pair in pairs.items()}


class _Pair:
    """One reader's copy and its owner while they are compared."""

    def __init__(self, entity: Entity, reader: str) -> None:
        self.entity, self.reader, self.done = entity, reader, Comparison()
        self.copy = copy_side(entity, reader)
        self.owners = {source: owner_side(entity, source, reader) for source in entity.sources_of(reader)}
        self._suspects: list[int] = []

    def compare_buckets(self, owned: Buckets, lo: int, hi: int) -> None:
        """Descend into the buckets of a key range that differ."""
        copied = self.copy.buckets(lo, hi)
        self.done.compared += sum(count for count, _ in owned.values())
        for bucket in sorted(b for b in owned.keys() | copied.keys() if owned.get(b) != copied.get(b)):
            self._descend(bucket)

    def _descend(self, bucket: int) -> None:
        lo, hi = key_range(bucket)
        left: dict[int, Row] = {}
        for side in self.owners.values():
            _newest(left, side.rows(lo, hi))
        right = self.copy.rows(lo, hi)
        self._suspects += [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
        if len(self._suspects) >= SUSPECTS:
            self.look_again()

    def look_again(self) -> None:
        """Look at the rows that differ until what is left is no work in progress, and count it."""
        _look_again(self.entity, self.reader, self.owners, self.copy, self._suspects, self.done)
        self._suspects = []


def _owners_buckets(pairs: dict[str, _Pair], lo: int, hi: int) -> dict[str, Buckets]:
    """Reader → checksums of the rows it should have; each owner's table is read once for all readers.

    Of several custodians' rows of a key the newest counts: all of those that stand make up the copy together. What
    stands is each custodian's own word; where two of them claim a key, or none does, the bucket differs, and its rows
    tell.
    """
    found: dict[str, Buckets] = {reader: {} for reader in pairs}
    for source in dict.fromkeys(source for pair in pairs.values() for source in pair.owners):
        readers = [reader for reader, pair in pairs.items() if source in pair.owners]
        parts = buckets_of([pairs[reader].owners[source] for reader in readers], lo, hi)
        for reader, part in zip(readers, parts, strict=True):
            for bucket, (rows, checksum) in part.items():
                before = found[reader].get(bucket, (0, 0))
                found[reader][bucket] = (before[0] + rows, before[1] ^ checksum)
    return found


def _newest(found: dict[int, Row], more: dict[int, Row]) -> None:
    for key, row in more.items():
        if key not in found or row.order > found[key].order:
            found[key] = row


def _look_again(
    entity: Entity, reader: str, owners: dict[str, Side], copy: Side, suspects: list[int], done: Comparison
) -> None:
    differing: Differing = {}
    moving: set[int] = set()
    for look in range(LOOKS):
        if not suspects:
            break
        if look:
            time.sleep(REST_S)
        # Read before the copy: what the owner had written by this low mark, the copy has from then on.
        lows = _low_marks(entity, reader)
        before = _owned(owners, suspects)
        right = copy.rows_of(suspects)
        after = _owned(owners, suspects)
        moving = {key for key in suspects if before.get(key) != after.get(key)}
        moving |= _in_flight(entity, lows, [key for key in suspects if _is_behind(after.get(key), right.get(key))])
        differing |= {
            key: (after.get(key), right.get(key))
            for key in suspects
            if key not in moving and after.get(key) != right.get(key)
        }
        suspects = [key for key in suspects if key in moving]
    done.add(differing, len(moving))


def _owned(owners: dict[str, Side], keys: list[int]) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for side in owners.values():
        _newest(found, side.rows_of(keys))
    return found


def _is_behind(owned: Row | None, copied: Row | None) -> bool:
    """Whether the copy lacks what the owner has: all that a window can explain.

    Another value at an equal version, a version ahead of the owner's and a row the owner does not have are
    drift however long a foreign transaction holds the copy's low mark back.
    """
    return owned is not None and (copied is None or copied.order < owned.order)


def _low_marks(entity: Entity, reader: str) -> dict[str, str | None]:
    """Source of a windowed copy → its low mark."""
    if entity.is_instant:
        return {}
    found = {source: positions.position(entity, source, reader) for source in entity.sources_of(reader)}
    return {source: at["lo"] if at else None for source, at in found.items()}


def _in_flight(entity: Entity, lows: dict[str, str | None], keys: list[int]) -> set[int]:
    found: set[int] = set()
    for source, lo in lows.items():
        found |= in_flight_keys(entity, source, keys, lo)
    return found
