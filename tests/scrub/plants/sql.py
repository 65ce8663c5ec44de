"""What plants are made of: SQL with ``{names}`` of the installation, and what a check must find, with its cause."""

from __future__ import annotations

Plants = dict[str, tuple[tuple[str, ...], dict[str, str]]]

TWICE = (
    "insert into {t} select (jsonb_populate_record(null::{t}, to_jsonb(t) || jsonb_build_object({set}))).* from {t} t "
)


def twice(table: str, where: str, *changes: str) -> str:
    """A row once more, under another key."""
    return TWICE.format(t=table, set=", ".join(("'id', 999999", *changes))) + f"where {where}"


def swapped(table: str, column: str, where: str, one: str, other: str) -> tuple[str, str]:
    """Rows under each other's key, in two steps: the key is unique."""
    return (
        f"update {table} set {column} = {column} - {one} - {other} where {where} and {column} in ({one}, {other})",
        f"update {table} set {column} = -{column} where {column} < 0",
    )


def reported(vat: str) -> str:
    """What the NAV has of a document, as SQL."""
    return f"jsonb_build_array(jsonb_build_object('element', 'vatPercentage', 'value', '0.27', 'vat', {vat}))"
