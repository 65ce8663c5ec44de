"""The write permit: without it the base model refuses every write of an owned entity."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from erp.errors import OwnershipError

_permits: ContextVar[frozenset[str]] = ContextVar("write_permits", default=frozenset())


@contextmanager
def write_permit(*entities: str) -> Iterator[None]:
    """Allow ORM writes of ``entities`` inside; taken by owner serializers and set-based writers only."""
    token = _permits.set(_permits.get() | frozenset(entities))
    try:
        yield
    finally:
        _permits.reset(token)


def require_permit(entity: str, what: str) -> None:
    """Raise OwnershipError unless a permit for ``entity`` is held; ``what`` names the attempt."""
    if entity not in _permits.get():
        raise OwnershipError(
            f"{what} is refused: {entity} is written by its owner's serializer only "
            f"(see serializers.py of the owner in erp/ownership.py)",
            entity=entity,
        )
