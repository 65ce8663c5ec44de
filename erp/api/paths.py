"""Where an entity is found under /api/v1/: the same collection name at its owner and at every reader."""

from __future__ import annotations

from erp import ownership

PREFIX = "/api/v1"
_SAME = frozenset({"stock", "ledger"})  # nouns without a plural


def collection(entity: str) -> str:
    """Path segment of an entity's collection, e.g. ``sales-orders``."""
    name = entity.replace("_", "-")
    return name if entity in _SAME else f"{name}s"


def copy_collection(entity: str, reader: str) -> str:
    """Path segment of a reader's copy; a module that owns rows of the entity as well keeps the two apart."""
    if reader in ownership.entity(entity).writers:
        return f"{entity.replace('_', '-')}-copies"
    return collection(entity)


def owner_url(entity: str, key: object = None) -> str:
    """URL at which an entity, or one row of it, is written."""
    base = f"{PREFIX}/{ownership.entity(entity).owner}/{collection(entity)}/"
    return base if key is None else f"{base}{key}/"
