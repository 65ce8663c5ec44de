"""The tables every module has: change journal, idempotency keys, reader attachment, relay."""

from erp import models as base


class ChangeJournal(base.ChangeJournal):
    """Every write of an entity of this module."""


class IdempotencyKey(base.IdempotencyKey):
    """Answers of this module by Idempotency-Key."""


class ReaderState(base.ReaderState):
    """Attached and detached readers of this module's entities."""


class RelayItem(base.RelayItem):
    """Work of this module that follows a commit."""
