"""Comparing a copy with its owner: bucket checksums first, single rows only where buckets differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from erp import ownership
from erp.ownership import MODULE_LABELS, Entity
from erp.replication import positions
from erp.replication.pull import run_copy
from erp.scrubber.result import Findings
from erp.scrubber.sides import Buckets, Row, Side, copy_side, in_flight_keys, key_range, owner_side

LOOKS = 3  # how often a differing row is looked at again before it counts
LIST_KEYS = 50  # more mismatched keys than this: repair the whole copy


@dataclass
class Comparison:
    """Keys that differ between a copy and its owner, after the last look."""

    compared: int
    differing: dict[int, tuple[Row | None, Row | None]]  # key → (owner, copy)
    in_flight: int


def compare_copy(entity: Entity, reader: str, *, pause: Callable[[], None] = lambda: None) -> Comparison:
    """Compare ``reader``'s copy with the owner's rows; differences that are in flight are left out.

    Args:
        pause: called between buckets; a throttle.
    """
    sources = entity.sources_of(reader)
    if len(sources) > 1:
        return _compare_by_rows(entity, reader)
    owner, copy = owner_side(entity, sources[0], reader), copy_side(entity, reader)
    owned, copied = owner.buckets(), copy.buckets()
    compared = sum(count for count, _ in owned.values())
    suspects: list[int] = []
    for bucket in _differing(owned, copied):
        pause()
        lo, hi = key_range(bucket)
        left, right = owner.rows(lo, hi), copy.rows(lo, hi)
        suspects += [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
    return _look_again(entity, reader, {sources[0]: owner}, copy, suspects, compared)


def _differing(owned: Buckets, copied: Buckets) -> list[int]:
    return sorted(b for b in owned.keys() | copied.keys() if owned.get(b) != copied.get(b))


def _newest(found: dict[int, Row], more: dict[int, Row]) -> None:
    for key, row in more.items():
        if key not in found or row.order > found[key].order:
            found[key] = row


def _compare_by_rows(entity: Entity, reader: str) -> Comparison:
    """An entity with several custodians: of each key the newest (epoch, version) of all sources counts."""
    owners = {source: owner_side(entity, source, reader) for source in entity.sources_of(reader)}
    copy = copy_side(entity, reader)
    buckets = set(copy.buckets())
    for side in owners.values():
        buckets |= set(side.buckets())
    compared, suspects = 0, []
    for bucket in sorted(buckets):
        lo, hi = key_range(bucket)
        left: dict[int, Row] = {}
        for side in owners.values():
            _newest(left, side.rows(lo, hi))
        right = copy.rows(lo, hi)
        compared += len(left)
        suspects += [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
    return _look_again(entity, reader, owners, copy, suspects, compared)


def _look_again(
    entity: Entity, reader: str, owners: dict[str, Side], copy: Side, suspects: list[int], compared: int
) -> Comparison:
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
    return Comparison(compared, differing, len(moving))


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
        _add(entity, reader, compare_copy(entity, reader), findings)


def _add(entity: Entity, reader: str, comparison: Comparison, findings: Findings) -> None:
    findings.compared += comparison.compared
    findings.in_flight += comparison.in_flight
    copy = copy_side(entity, reader)
    for key, (owned, copied) in sorted(comparison.differing.items()):
        expected = found = None
        if len(findings.samples) < 20:
            source = entity.sources_of(reader)[0]
            expected = owner_side(entity, source, reader).show(key)
            found = copy.show(key)
        findings.add(f"{reader}/{entity.name} {key}", expected, found, cause_of(owned, copied))
    if comparison.differing:
        keys = sorted(comparison.differing)
        only = f" --keys {','.join(map(str, keys))}" if len(keys) <= LIST_KEYS else ""
        findings.repair_with(f"manage.py resync {entity.name} {reader}{only}")
