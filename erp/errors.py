"""Errors of the platform; each docstring's first line is the message a person reads."""

from __future__ import annotations

from typing import Any


class ErpError(Exception):
    """Something went wrong."""

    code = "error"
    status = 500

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or (self.__doc__ or "").strip().split("\n")[0]
        self.details = details
        super().__init__(self.message)


class OwnershipError(ErpError):
    """Only the owner's serializer may write this entity."""

    code = "not-the-owner"
    status = 405


class StaleVersion(ErpError):
    """The record was changed by somebody else since you read it; load it again and repeat your change."""

    code = "stale-version"
    status = 412


class NotFound(ErpError):
    """There is no such record."""

    code = "not-found"
    status = 404


class Refused(ErpError):
    """The operation is refused by a business rule."""

    code = "refused"
    status = 409


class ReaderUnavailable(ErpError):
    """A reader did not confirm the new version; nothing was changed, please try again."""

    code = "reader-unavailable"
    status = 503

    def __init__(self, entity: str, reader: str, reason: str = "", retry_after_s: int = 5) -> None:
        self.entity, self.reader, self.retry_after_s = entity, reader, retry_after_s
        super().__init__(
            f"{reader} did not confirm {entity}{': ' + reason if reason else ''}; nothing was changed, "
            f"please try again in {retry_after_s} s",
            entity=entity,
            reader=reader,
        )


class OwnerBusy(ErpError):
    """The record is locked by another operation; nothing was changed, please try again."""

    code = "busy"
    status = 503
    retry_after_s = 2


class CopyTooOld(ErpError):
    """The copy is older than its window, so its figures are not known right now."""

    code = "copy-too-old"
    status = 503
    retry_after_s = 15


class IdempotencyConflict(ErpError):
    """This Idempotency-Key was already used for a different request; use a new key."""

    code = "idempotency-conflict"
    status = 422
