"""Comparing a copy with its owner: bucket checksums first, single rows only where buckets differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from erp import ownership
from erp.ownership import MODULE_LABELS, Entity
from erp.replication import positions
from erp.replication.pull import run_copy
from erp.scrubber.result import SAMPLES, Findings
from erp.scrubber.sides import Buckets, Row, Side, copy_side, in_flight_keys, key_range, owner_side

LOOKS = 3  # how often a differing row is looked at again before it counts
LIST_KEYS = 50  # more mismatched keys than this: repair the whole copy
SUSPECTS = 5_000  # differing rows looked at together: a copy that differs everywhere is counted in parts


@dataclass
class Comparison:
    """What differs between a copy and its owner after the last look: all of it counted, the first keys kept."""

    compared: int = 0
    mismatched: int = 0
    in_flight: int = 0
    differing: dict[int, tuple[Row | None, Row | None]] = field(default_factory=dict)  # key → (owner, copy)

    def add(self, differing: dict[int, tuple[Row | None, Row | None]], in_flight: int) -> None:
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
    done = Comparison()
    copy = copy_side(entity, reader)
    owners = {source: owner_side(entity, source, reader) for source in entity.sources_of(reader)}
    suspects: list[int] = []
    for bucket in _suspicious(owners, copy, done, pause):
        pause()
        lo, hi = key_range(bucket)
        left: dict[int, Row] = {}
        for side in owners.values():
            _newest(left, side.rows(lo, hi))
        right = copy.rows(lo, hi)
        if len(owners) > 1:
            done.compared += len(left)
        suspects += [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
        if len(suspects) >= SUSPECTS:
            _look_again(entity, reader, owners, copy, suspects, done)
            suspects = []
    _look_again(entity, reader, owners, copy, suspects, done)
    return done


def _suspicious(
    owners: dict[str, Side], copy: Side, done: Comparison, pause: Callable[[], None]
) -> Iterator[int]:
    """Buckets to look into: those whose checksums differ.

    With several custodians no checksum of one side can stand for all: of each key the newest row counts.
    """
    copied = copy.buckets(pause)
    owned = [side.buckets(pause) for side in owners.values()]
    if len(owned) > 1:
        yield from sorted(copied.keys() | {bucket for buckets in owned for bucket in buckets})
        return
    done.compared = sum(count for count, _ in owned[0].values())
    yield from _differing(owned[0], copied)


def _differing(owned: Buckets, copied: Buckets) -> list[int]:
    return sorted(b for b in owned.keys() | copied.keys() if owned.get(b) != copied.get(b))


def _newest(found: dict[int, Row], more: dict[int, Row]) -> None:
    for key, row in more.items():
        if key not in found or row.order > found[key].order:
            found[key] = row


def _look_again(
    entity: Entity, reader: str, owners: dict[str, Side], copy: Side, suspects: list[int], done: Comparison
) -> None:
    differing: dict[int, tuple[Row | None, Row | None]] = {}
    moving: set[int] = set()
    for look in range(LOOKS):
        if not suspects:
            break
        if not entity.is_instant and look:
            for source in owners:
                run_copy(entity.name, source, reader)
        before = _owned(owners, suspects)
        right = copy.rows_of(suspects)
        after = _owned(owners, suspects)
        moving = {key for key in suspects if before.get(key) != after.get(key)}
        moving |= _in_flight(entity, reader, [key for key in suspects if _is_behind(after.get(key), right.get(key))])
        differing = {
            key: (after.get(key), right.get(key))
            for key in suspects
            if key not in moving and after.get(key) != right.get(key)
        }
        suspects = [key for key in suspects if key in differing or key in moving]
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


def _in_flight(entity: Entity, reader: str, keys: list[int]) -> set[int]:
    if entity.is_instant:
        return set()
    found: set[int] = set()
    for source in entity.sources_of(reader):
        at = positions.position(entity, source, reader)
        found |= in_flight_keys(entity, source, keys, at["lo"] if at else None)
    return found


def cause_of(owned: Row | None, copied: Row | None) -> str:
    """Class of cause of one difference, from which side has which version."""
    if copied is None:
        return "lost"
    if owned is None:
        return "rogue write"  # a row that the owner never had
    if copied.order < owned.order:
        return "lost"
    if copied.order > owned.order:
        return "reordered"  # the copy is ahead of its owner: the owner went back, or a number was made up
    return "rogue write"  # equal version, other value


def check_copies(entity_name: str, findings: Findings) -> None:
    """Compare every attached reader's copy of an entity with its owner; detached readers are left out."""
    entity = ownership.entity(entity_name)
    for reader in entity.readers:
        state = positions.pair_state(entity, reader)
        if not state.attached:
            findings.position += f"{MODULE_LABELS[reader]} is detached and was not compared. "
            continue
        if state.position is not None:
            findings.position += f"{reader} at {state.position}. "
        _add(entity, reader, compare_copy(entity, reader, pause=findings.pause), findings)


def _add(entity: Entity, reader: str, comparison: Comparison, findings: Findings) -> None:
    findings.compared += comparison.compared
    findings.in_flight += comparison.in_flight
    findings.parts[f"{reader}/{entity.name}"] = (comparison.compared, comparison.mismatched)
    copy = copy_side(entity, reader)
    for key, (owned, copied) in sorted(comparison.differing.items()):
        expected = found = None
        if len(findings.samples) < SAMPLES:
            expected = _newest_shown(entity, reader, key)
            found = copy.show(key)
        findings.add(f"{reader}/{entity.name} {key}", expected, found, cause_of(owned, copied))
    findings.mismatched += comparison.mismatched - len(comparison.differing)
    if comparison.mismatched:
        keys = sorted(comparison.differing)
        only = f" --keys {','.join(map(str, keys))}" if comparison.mismatched <= LIST_KEYS else ""
        findings.repair_with(f"manage.py resync {entity.name} {reader}{only}")


def _newest_shown(entity: Entity, reader: str, key: int) -> dict[str, object] | None:
    """The owner's row of a key as text; with several custodians the newest one's."""
    found: tuple[tuple[int, int], dict[str, object] | None] = ((-1, -1), None)
    for source in entity.sources_of(reader):
        side = owner_side(entity, source, reader)
        row = side.rows_of([key]).get(key)
        if row and row.order > found[0]:
            found = (row.order, side.show(key))
    return found[1]
