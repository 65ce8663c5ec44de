"""What a check of copies reports: which copies were compared, which rows differ, by which cause, and the repair."""

from __future__ import annotations

from erp import ownership
from erp.ownership import MODULE_LABELS, Entity
from erp.publishing import owner_model
from erp.replication import positions
from erp.scrubber.copies import LIST_KEYS, Comparison, Differing, compare_copies
from erp.scrubber.result import SAMPLES, Findings
from erp.scrubber.sides import Row, copy_side, owner_side, unsound_keys


def check_copies(entity_name: str, findings: Findings) -> None:
    """Compare every attached reader's copy of an entity with its owner; a detached one is named as skipped."""
    entity = ownership.entity(entity_name)
    attached = []
    for reader in entity.readers:
        state = positions.pair_state(entity, reader)
        if not state.attached:
            findings.skip(reader, entity_name)
            continue
        if not state.filled:
            _not_filled(entity, reader, findings)
            continue
        if state.position is not None:
            findings.position += f"{reader} at {state.position}. "
        attached.append(reader)
    for reader, comparison in compare_copies(entity, attached, pause=findings.pause).items():
        _add(entity, reader, comparison, findings)


def _not_filled(entity: Entity, reader: str, findings: Findings) -> None:
    """A copy that was never filled is no clean copy, unless its first run (or a rebuild) is under way just now."""
    is_running = any(positions.is_run_under_way(entity, source, reader) for source in entity.sources_of(reader))
    if is_running or positions.pair_state(entity, reader).filled:  # or it ended between the two looks
        findings.wait_for_first_fill(reader, entity.name)
        return
    problem = f"{MODULE_LABELS[reader]}'s copy of {entity.name} was never filled, and no run of it is under way"
    findings.fail(problem, f"manage.py resync {entity.name} {reader} --attach")


def _add(entity: Entity, reader: str, comparison: Comparison, findings: Findings) -> None:
    findings.compared += comparison.compared
    findings.in_flight += comparison.in_flight
    findings.parts[f"{reader}/{entity.name}"] = (comparison.compared, comparison.mismatched)
    copy = copy_side(entity, reader)
    causes = causes_of(entity, reader, comparison.differing)
    for key in sorted(comparison.differing):
        expected = found = None
        if len(findings.samples) < SAMPLES:
            expected = _newest_shown(entity, reader, key)
            found = copy.show(key)
        findings.add(f"{reader}/{entity.name} {key}", expected, found, causes[key])
    findings.mismatched += comparison.mismatched - len(comparison.differing)
    corrupt = [key for key, cause in causes.items() if cause == "owner corrupt"]
    if corrupt:  # a resync would carry the corruption on
        keys_text = ", ".join(map(str, sorted(corrupt)[:SAMPLES]))
        findings.repair_with(
            f"correct {entity.name} {keys_text} at {MODULE_LABELS[entity.owner]}, whose own rows were changed past the "
            "change journal: it has the last written values"
        )
        if command := owner_model(entity.name).correct_with:
            findings.repair_with(command)
    if comparison.mismatched > len(corrupt):
        keys = sorted(comparison.differing.keys() - set(corrupt))
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


def cause_of(owned: Row | None, copied: Row | None) -> str:
    """Class of cause of one difference, from which side has which version."""
    if copied is None:
        return "lost"
    if copied.times > 1:
        return "duplicated"
    if owned is None:
        return "rogue write"  # a row that the owner never had
    if copied.order < owned.order:
        return "lost"
    if copied.order > owned.order:
        return "reordered"  # the copy is ahead of its owner: the owner went back, or a number was made up
    return "rogue write"  # equal version, other value


def causes_of(entity: Entity, reader: str, differing: Differing) -> dict[int, str]:
    """Class of cause per key: by the versions, then by what the owner's journal and the copy itself tell of a row."""
    causes = {key: cause_of(owned, copied) for key, (owned, copied) in differing.items()}
    copy = copy_side(entity, reader)
    extra = [key for key, (owned, copied) in differing.items() if owned is None and copied is not None]
    if extra:
        causes |= dict.fromkeys(copy.twins(extra), "duplicated")
    equal = [key for key, cause in causes.items() if cause == "rogue write" and differing[key][0] is not None]
    for source in entity.sources_of(reader) if equal else ():
        causes |= dict.fromkeys(unsound_keys(entity, source, equal), "owner corrupt")
    return causes
