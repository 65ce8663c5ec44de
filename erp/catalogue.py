"""Reading PostgreSQL's catalogue, and saying where it differs from the ownership map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.ownership import PLATFORM


@dataclass(frozen=True)
class Difference:
    """One place where the catalogue and the map disagree."""

    kind: str
    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.problem}"


def query(statement: str, arguments: list[Any] | None = None) -> list[dict[str, Any]]:
    """Rows of a catalogue query, as dicts."""
    with cursor(PLATFORM) as cur:
        cur.execute(statement, arguments or [])
        return rows_as_dicts(cur)


def compare_rights(
    kind: str, where: str, have: set[tuple[str, str]], want: set[tuple[str, str]]
) -> Iterator[Difference]:
    """Differences between the (role, right) pairs that are granted and those that the map gives."""
    for role, right in sorted(have - want):
        yield Difference(kind, where, f"{role} has {right}, which the map does not give")
    for role, right in sorted(want - have):
        yield Difference(kind, where, f"{role} lacks {right}: run manage.py provision")


def as_rights(grants: list[str]) -> set[tuple[str, str]]:
    """(role, right) pairs of the catalogue's ``role:RIGHT`` texts."""
    return {(g.rsplit(":", 1)[0].replace("-", "PUBLIC"), g.rsplit(":", 1)[1]) for g in grants}
