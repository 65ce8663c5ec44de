"""The owner's serializer: the only way to write an owned entity, whoever asks.

One write = one transaction of the owner: row with version + 1, journal row, readers' doors.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.db import models
from rest_framework import serializers

from erp import ownership, row_sql
from erp.actor import Actor
from erp.bulk import write_batch
from erp.db import retrying
from erp.errors import NotFound, StaleVersion
from erp.models import OwnedModel
from erp.permit import write_permit
from erp.publishing import Written, WrittenRow, write_and_publish

M = TypeVar("M", bound=OwnedModel)

_field_templates: dict[type, dict[str, Any]] = {}
_validator_templates: dict[type, list[Any]] = {}


def _copy_of(field: Any) -> Any:
    """What copy.copy gives, without its detour over pickling; a nested serializer has fields of its own."""
    if isinstance(field, serializers.BaseSerializer):
        return copy.deepcopy(field)
    made = object.__new__(type(field))
    made.__dict__.update(field.__dict__)
    return made


class OwnerSerializer(serializers.ModelSerializer[M], Generic[M]):
    """Validates and writes one row of an owned entity; ``Meta.model`` is an OwnedModel.

    ``expected_version`` (constructor argument) makes a write conditional: it is refused with StaleVersion
    when the row has moved on. After :meth:`save`, ``confirmed`` tells which reader holds which version.
    """

    natural_key: ClassVar[str] = ""
    """Unique column by which :meth:`bulk_save` finds existing rows."""

    related_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that :meth:`write_related` writes; a write without them is a single statement."""

    version = serializers.IntegerField(read_only=True)

    def __init__(self, *args: Any, expected_version: int | None = None, **kwargs: Any) -> None:
        self.expected_version = expected_version
        self.confirmed: dict[str, int] = {}
        self._given: Mapping[str, Any] | None = None
        super().__init__(*args, **kwargs)

    @classmethod
    def entity(cls) -> ownership.Entity:
        """The map's line of the entity this serializer writes."""
        return ownership.entity(cls.model().entity)

    @classmethod
    def model(cls) -> type[M]:
        """The owned model."""
        found: type[M] = cls.Meta.model
        return found

    @classmethod
    def module(cls) -> str:
        """Module that writes: the app the model lives in."""
        return cls.model()._meta.app_label

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Fields as the class declares them; they are built once per class, not once per write."""
        cls = type(self)
        template = _field_templates.get(cls)
        if template is None:
            template = _field_templates[cls] = super().get_fields()
        return {name: _copy_of(field) for name, field in template.items()}

    def get_validators(self) -> list[Any]:
        """Validators as the class declares them, found once per class."""
        cls = type(self)
        if cls not in _validator_templates:
            _validator_templates[cls] = list(super().get_validators())
        return list(_validator_templates[cls])

    def to_internal_value(self, data: Any) -> Any:
        """Validate the fields; of a partial update only those that are given are looked at."""
        self._given = data if self.partial and type(data) is dict else None
        try:
            return super().to_internal_value(data)
        finally:
            self._given = None

    @property
    def _writable_fields(self) -> Any:
        if self._given is None:
            return super()._writable_fields
        given = (self.fields[name] for name in self._given if name in self.fields)
        return [field for field in given if not field.read_only]

    def save(self, *, actor: Actor | None = None, **extra: Any) -> M:
        """Write the validated data; returns the row with its new version.

        Raises:
            StaleVersion: the row is no longer at ``expected_version``.
            ReaderUnavailable: an attached reader did not confirm; nothing has changed.
        """
        return self._save({**self.validated_data, **extra}, actor, retire=False)

    def retire(self, *, actor: Actor | None = None) -> M:
        """Take the row out of use: a versioned write that travels like any other; rows are never deleted."""
        return self._save({}, actor, retire=True)

    def _save(self, data: Mapping[str, Any], actor: Actor | None, *, retire: bool) -> M:
        row = self.instance if isinstance(self.instance, models.Model) else None
        full = dict(data) if row else self.complete_new([data])[0]
        columns = row_sql.columns_of(self.model(), full)
        statement, arguments = (
            row_sql.change(row, columns, retire=retire, expected_version=self.expected_version)
            if row
            else row_sql.creation(self.model(), columns)
        )
        written = retrying(
            self.module(), lambda: self._write(row, statement, arguments, full, actor), own=self._has_related(full)
        )
        (done,) = written.rows.values()
        self.confirmed = {reader: versions[done.id] for reader, versions in written.confirmed.items()}
        self.instance = self._as_instance(row, full, done)
        return self.instance

    def _write(
        self, row: M | None, statement: str, arguments: list[Any], data: Mapping[str, Any], actor: Actor | None
    ) -> Written:
        entity, module = self.entity().name, self.module()
        with write_permit(entity):
            written = write_and_publish(entity, module, statement, arguments, actor)
            if not written.rows:
                self._explain_miss(row)
            if self._has_related(data):
                self.write_related(next(iter(written.rows)), data)
        return written

    def write_related(self, key: int, data: Mapping[str, Any]) -> None:
        """Write the ``related_fields`` that are given: internal rows of the document, in the same transaction."""

    def _has_related(self, data: Mapping[str, Any]) -> bool:
        return any(name in data for name in self.related_fields)

    def _as_instance(self, row: M | None, data: Mapping[str, Any], done: WrittenRow) -> M:
        instance = copy.copy(row) if row else self.model()(pk=done.id)
        for field in self.model()._meta.concrete_fields:
            if field.name in data and not field.primary_key:
                setattr(instance, field.name, data[field.name])
        instance.version, instance.created_at = done.version, done.created_at
        instance.updated_at, instance.retired_at = done.updated_at, done.retired_at
        instance._state.adding, instance._state.db = False, ownership.alias_of(self.module())
        return instance

    def _explain_miss(self, row: M | None) -> None:
        key = row.pk if row else 0
        found = self.model()._default_manager.filter(pk=key).values_list("version", flat=True).first()
        if found is None:
            raise NotFound(f"{self.entity().name} {key} does not exist")
        raise StaleVersion(
            f"{self.entity().name} {key} is at version {found}, your change was based on "
            f"version {self.expected_version}; load it again and repeat your change",
            current=found,
            expected=self.expected_version,
        )

    @classmethod
    def complete_new(cls, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Data of new rows completed by the model's defaults; override to number documents (set-wise)."""
        defaults = {
            field.name: field
            for field in cls.model()._meta.concrete_fields
            if not (field.primary_key or field.has_db_default() or (field.null and not field.has_default()))
        }
        return [
            {**{name: field.get_default() for name, field in defaults.items() if name not in row}, **row}
            for row in rows
        ]

    @classmethod
    def bulk_save(
        cls, rows: Sequence[Mapping[str, Any]], *, actor: Actor | None = None, validate: bool = True
    ) -> list[dict[str, Any]]:
        """Create or update many rows by ``natural_key`` in one transaction and a handful of statements.

        Args:
            rows: field values by name; every row names its natural key and the same fields.
            validate: run the serializer's field validation on each row (uniqueness is checked set-wise by
                the database).

        Returns:
            ``[{"id", <natural key>, "version", "created"}]`` in the order of ``rows``. All or nothing.

        Raises:
            serializers.ValidationError: a list with one (possibly empty) error dict per row.
        """
        clean = cls.validate_rows(rows) if validate else [dict(row) for row in rows]
        if not clean:
            return []
        return retrying(cls.module(), lambda: write_batch(cls, clean, actor))

    @classmethod
    def validate_rows(cls, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Validated data of many rows, without a query per row: uniqueness is left to the database.

        Raises:
            serializers.ValidationError: a list with one (possibly empty) error dict per row.
        """
        serializer = cls(data=list(rows), many=True)
        for field in serializer.child.fields.values():  # type: ignore[attr-defined]
            field.validators = [v for v in field.validators if not hasattr(v, "queryset")]
        serializer.child.validators = []  # type: ignore[attr-defined]
        if not serializer.is_valid():
            found: Any = serializer.errors
            by_row = [found.get(n, {}) for n in range(len(rows))] if isinstance(found, Mapping) else found
            raise serializers.ValidationError(by_row)
        return [dict(row) for row in serializer.validated_data]
