"""Base models and querysets. The one place that overrides save, delete, update and bulk writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn, TypeVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now

from erp.errors import OwnershipError
from erp.fields import ExactJSONField, Xid8Field
from erp.permit import require_permit
from erp.records import Alert, AlertDelivery, ClockReading, Heartbeat, Rebuild, ScrubResult, ScrubRun

__all__ = [
    "Alert",
    "AlertDelivery",
    "ClockReading",
    "Heartbeat",
    "Rebuild",
    "ScrubResult",
    "ScrubRun",
]  # found by Django here

M = TypeVar("M", bound=models.Model)


class User(AbstractUser):
    """A person who logs in: staff of a module or an integrator. Modules refer to people by id and name."""

    class Meta:
        db_table = "user"


class OwnedQuerySet(models.QuerySet[M]):
    """Queryset of an owned entity: set-based ORM writes need the write permit, deletes never work."""

    def _check(self, what: str) -> None:
        model: Any = self.model
        require_permit(model.entity, f"{model.__name__}.objects.{what}()")

    def update(self, **kwargs: Any) -> int:
        """Refused without the permit."""
        self._check("update")
        return super().update(**kwargs)

    def update_or_create(self, *args: Any, **kwargs: Any) -> tuple[M, bool]:
        """Refused without the permit."""
        self._check("update_or_create")
        return super().update_or_create(*args, **kwargs)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Refused without the permit."""
        self._check("bulk_create")
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> int:
        """Refused without the permit."""
        self._check("bulk_update")
        return super().bulk_update(objs, *args, **kwargs)

    def delete(self) -> NoReturn:
        """Owned rows are never deleted; retire them instead."""
        raise OwnershipError(f"{self.model.__name__} rows are never deleted; retire them instead")


class OwnedModel(models.Model):
    """A row of an entity that this module owns; written through its OwnerSerializer only."""

    entity: ClassVar[str]
    payload_sql: ClassVar[str] = "to_jsonb(t)"
    """SQL expression over the row alias ``t``: what readers are sent. The one definition of the payload."""
    travels_sql: ClassVar[str] = ""
    """SQL condition over ``t``: which rows readers may see; empty = all (e.g. drafts stay at home)."""
    scan_sql: ClassVar[str] = ""
    """Query of the table's rows with ``scan_columns``, for reading many at once; empty = none are computed.

    ``{only}`` stands for the condition that the row's key, or a column referring to it, is under.
    """
    scan_columns: ClassVar[tuple[str, ...]] = ()
    """What the payload has beyond the table's own columns and ``scan_sql`` gives as columns."""
    standing_sql: ClassVar[str] = ""
    """Of an entity that changes hands: rows that no other custodian has taken over, in this one's own words."""
    correct_with: ClassVar[str] = ""
    """Command that corrects rows which were written past the serializer; empty = a person edits them."""
    sound_sql: ClassVar[str] = ""
    """SQL condition over ``t`` that holds while nobody wrote past the serializer; empty = the change journal says."""

    id = models.BigAutoField(primary_key=True)
    version = models.BigIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refused without the permit."""
        require_permit(self.entity, f"{type(self).__name__}.save()")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Owned rows are never deleted; retire them instead."""
        raise OwnershipError(f"{type(self).__name__} rows are never deleted; retire them instead")


class WindowedOwnedModel(OwnedModel):
    """An owned row whose copies are filled by periodic runs; a trigger stamps ``xid`` on every write."""

    xid = Xid8Field(null=True, editable=False)

    class Meta:
        abstract = True


class CopyQuerySet(models.QuerySet[M]):
    """Queryset of a copy: reads only. Not even the reader may write what it reads."""

    def _refuse(self, what: str) -> NoReturn:
        model: Any = self.model
        raise OwnershipError(
            f"{model.__name__}.objects.{what}() is refused: a copy of {model.entity} is read-only; "
            f"its owner writes it through the door",
            entity=model.entity,
        )

    def create(self, **kwargs: Any) -> NoReturn:
        """Always refused."""
        self._refuse("create")

    def update(self, **kwargs: Any) -> NoReturn:
        """Always refused."""
        self._refuse("update")

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always refused."""
        self._refuse("update_or_create")

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> NoReturn:
        """Always refused."""
        self._refuse("bulk_create")

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> NoReturn:
        """Always refused."""
        self._refuse("bulk_update")

    def delete(self) -> NoReturn:
        """Always refused."""
        self._refuse("delete")


class CopyModel(models.Model):
    """A reader's read-only copy of another module's entity, filled through ``receive_<entity>``."""

    entity: ClassVar[str]

    id = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField()

    objects = CopyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always refused."""
        raise OwnershipError(f"{type(self).__name__}.save() is refused: a copy is read-only", entity=self.entity)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always refused."""
        raise OwnershipError(f"{type(self).__name__}.delete() is refused: a copy is read-only", entity=self.entity)


class WindowedCopyModel(CopyModel):
    """A copy filled by periodic runs; ``tick`` is the run (position) that brought the row's version."""

    tick = models.BigIntegerField(db_default=0)

    class Meta:
        abstract = True


class InternalModel(models.Model):
    """A table of one module alone: nobody else reads it, so it has no version and no copies."""

    class Meta:
        abstract = True


class ChangeJournal(models.Model):
    """Append-only record of every write of the module's entities: audit trail, change feed, webhooks.

    Partitioned by month in PostgreSQL (see erp/migrations_ops.py), hence the composite key.
    """

    pk = models.CompositePrimaryKey("at", "seq")
    seq = models.BigIntegerField(editable=False)
    at = models.DateTimeField()
    entity = models.CharField(max_length=40)
    key = models.BigIntegerField()
    version = models.BigIntegerField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64)
    payload = ExactJSONField()

    class Meta:
        abstract = True
        managed = False
        db_table = "change_journal"


class IdempotencyKey(models.Model):
    """Answer given to an Idempotency-Key, stored in the effect's own transaction."""

    key = models.CharField(max_length=200)
    scope = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64)
    status = models.IntegerField(default=200)
    answer = ExactJSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        db_table = "idempotency_key"
        constraints = (models.UniqueConstraint(fields=["scope", "key"], name="%(app_label)s_%(class)s_key"),)


class ReaderState(models.Model):
    """Whether a reader of one of this module's instant entities is attached; changed by staff with a reason."""

    entity = models.CharField(max_length=40)
    reader = models.CharField(max_length=40)
    attached = models.BooleanField(default=True, db_default=True)
    reason = models.TextField(default="", db_default="", blank=True)
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.CharField(max_length=150, default="", db_default="", blank=True)

    class Meta:
        abstract = True
        db_table = "reader_state"
        constraints = (models.UniqueConstraint(fields=["entity", "reader"], name="%(app_label)s_%(class)s_key"),)


class RelayItem(models.Model):
    """Work that must happen after a commit: a row first, a Celery task is only a hint (an outbox)."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    payload = ExactJSONField()
    state = models.CharField(max_length=10, default="waiting", db_default="waiting")  # waiting | done | stuck
    attempts = models.IntegerField(default=0, db_default=0)
    last_error = models.TextField(default="", db_default="", blank=True)
    next_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    result = ExactJSONField(null=True)

    class Meta:
        abstract = True
        db_table = "relay_item"
        constraints = (models.UniqueConstraint(fields=["kind", "key"], name="%(app_label)s_%(class)s_key"),)
        indexes = (models.Index(fields=["next_at"], name="%(app_label)s_relay_due", condition=~models.Q(state="done")),)


class CopyPosition(models.Model):
    """How far a windowed copy has come, per source; written by the reader's advance door only."""

    entity = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    tick = models.BigIntegerField()
    lo = Xid8Field()
    system_identifier = models.CharField(max_length=40)
    began_at = models.DateTimeField()
    applied_at = models.DateTimeField()

    class Meta:
        abstract = True
        db_table = "copy_position"
        constraints = (models.UniqueConstraint(fields=["entity", "source"], name="%(app_label)s_%(class)s_key"),)


class CopyTick(models.Model):
    """One run of a windowed copy: when its pull began, how many rows it brought, the age it ended."""

    entity = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    tick = models.BigIntegerField()
    began_at = models.DateTimeField()
    applied_at = models.DateTimeField()
    rows = models.IntegerField()
    worst_age_s = models.FloatField()  # age of the copy just before this run replaced it

    class Meta:
        abstract = True
        db_table = "copy_tick"
        indexes = (models.Index(fields=["entity", "source", "applied_at"], name="%(app_label)s_copy_tick_at"),)
