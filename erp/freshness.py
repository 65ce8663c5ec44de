"""The freshness guard: a copy's data together with how old it is; too old is said, never hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from erp import ownership
from erp.db import fetch_prepared
from erp.errors import CopyTooOld
from erp.replication import positions

T = TypeVar("T")


@dataclass(frozen=True)
class Age:
    """How old a copy is, by its reader's own clock; ``age_s`` None: not known (never filled, or clock set back)."""

    entity: str
    reader: str
    window_s: int
    age_s: float | None
    as_of: datetime | None
    tick: int | None
    attached: bool

    def __str__(self) -> str:
        if self.age_s is not None:
            return f"is {self.age_s:.0f} s old"
        return "was never filled" if self.as_of is None else "is of unknown age: its reader's clock was set back"

    @property
    def too_old(self) -> bool:
        """Whether the copy may not be shown as fresh."""
        if not self.attached or self.age_s is None:
            return True
        return self.window_s > 0 and self.age_s > self.window_s


@dataclass(frozen=True)
class Fresh(Generic[T]):
    """Data read from a copy, and the age it had just before it was read."""

    data: T
    age: Age

    @property
    def too_old(self) -> bool:
        """Whether the caller must ask the owner or say that the figure is not known."""
        return self.age.too_old

    def required(self) -> T:
        """The data, or CopyTooOld when it is older than its window."""
        if not self.age.attached:
            raise CopyTooOld(f"{self.age.reader} is detached from {self.age.entity}: its copy may be out of date")
        if self.too_old:
            raise CopyTooOld(
                f"{self.age.reader}'s copy of {self.age.entity} {self.age}, its window is {self.age.window_s} s"
            )
        return self.data


def copy_age(entity_name: str, reader: str) -> Age:
    """Age of a reader's copy; the oldest of its sources counts."""
    entity = ownership.entity(entity_name)
    if entity.is_instant:
        attached, _ = positions.attachment(entity, entity.owner, reader)
        return Age(entity_name, reader, 0, 0.0 if attached else None, None, None, attached)
    sources = entity.sources_of(reader)
    attached = all(positions.attachment(entity, source, reader)[0] for source in sources)
    found = [positions.position(entity, source, reader) for source in sources]
    here = [p for p in found if p]
    if len(here) < len(found):
        return Age(entity_name, reader, entity.window_s, None, None, None, attached)
    as_of, ticks = min(p["began_at"] for p in here), min(p["tick"] for p in here)
    ages = [p["age_s"] for p in here]
    age_s = None if None in ages else max(ages)
    return Age(entity_name, reader, entity.window_s, age_s, as_of, ticks, attached)


_DETACHED = """
select entity from reader_state where entity = any (%s::text[]) and reader = %s::text and not attached"""


def detached(entities: Iterable[str], reader: str) -> list[str]:
    """Those of several instant entities from whose writes a reader is detached: its copies may be out of date."""
    by_owner: dict[str, list[str]] = {}
    for name in entities:
        by_owner.setdefault(ownership.entity(name).owner, []).append(name)
    return [name for owner, names in by_owner.items() for (name,) in fetch_prepared(owner, _DETACHED, [names, reader])]


def read(entity_name: str, reader: str, fetch: Callable[[], T]) -> Fresh[T]:
    """Read a copy through the guard.

    Args:
        fetch: reads the reader's copy (e.g. ``lambda: list(StockCopy.objects.filter(...))``). The age is taken
            first, so the data is never older than it says.
    """
    age = copy_age(entity_name, reader)
    return Fresh(fetch(), age)
