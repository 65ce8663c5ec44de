"""The owner's serializer: the only way to write an owned entity, whoever asks.

One write = one transaction of the owner: row with version + 1, journal row, readers' doors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.db import connections, models
from rest_framework import serializers

from erp import ownership
from erp.actor import Actor
from erp.bulk import write_batch
from erp.db import cursor, retrying, rows_as_dicts
from erp.errors import NotFound, StaleVersion
from erp.models import OwnedModel
from erp.permit import write_permit
from erp.publishing import ADVISORY_CLASS, Confirmations, entity_lock, publish, reader_errors

M = TypeVar("M", bound=OwnedModel)


class OwnerSerializer(serializers.ModelSerializer[M], Generic[M]):
    """Validates and writes one row of an owned entity; ``Meta.model`` is an OwnedModel.

    ``expected_version`` (constructor argument) makes a write conditional: it is refused with StaleVersion
    when the row has moved on. After :meth:`save`, ``confirmed`` tells which reader holds which version.
    """

    natural_key: ClassVar[str] = ""
    """Unique column by which :meth:`bulk_save` finds existing rows."""

    version = serializers.IntegerField(read_only=True)

    def __init__(self, *args: Any, expected_version: int | None = None, **kwargs: Any) -> None:
        self.expected_version = expected_version
        self.confirmed: dict[str, int] = {}
        super().__init__(*args, **kwargs)

    @classmethod
    def entity(cls) -> ownership.Entity:
        """The map's line of the entity this serializer writes."""
        return ownership.entity(cls.model().entity)

    @classmethod
    def model(cls) -> type[M]:
        """The owned model."""
        found: type[M] = cls.Meta.model  # type: ignore[attr-defined]
        return found

    @classmethod
    def module(cls) -> str:
        """Module that writes: the app the model lives in."""
        return cls.model()._meta.app_label

    def save(self, *, actor: Actor | None = None, **extra: Any) -> M:
        """Write the validated data; returns the row with its new version.

        Raises:
            StaleVersion: the row is no longer at ``expected_version``.
            ReaderUnavailable: an attached reader did not confirm; nothing has changed.
        """
        data = {**self.validated_data, **extra}
        existing = self.instance if isinstance(self.instance, models.Model) else None
        key, confirmed = retrying(self.module(), lambda: self._write(existing, data, actor))
        self.confirmed = {reader: versions[key] for reader, versions in confirmed.items()}
        self.instance = self.model()._default_manager.get(pk=key)
        return self.instance

    def retire(self, *, actor: Actor | None = None) -> M:
        """Take the row out of use: a versioned write that travels like any other; rows are never deleted."""
        assert isinstance(self.instance, models.Model)
        row = self.instance
        key, confirmed = retrying(self.module(), lambda: self._write(row, {}, actor, retire=True))
        self.confirmed = {reader: versions[key] for reader, versions in confirmed.items()}
        self.instance = self.model()._default_manager.get(pk=key)
        return self.instance

    def _write(
        self, row: M | None, data: Mapping[str, Any], actor: Actor | None, *, retire: bool = False
    ) -> tuple[int, Confirmations]:
        with write_permit(self.entity().name):
            key = self._insert(data) if row is None else self._update(row, data, retire)
            self.write_related(key, data)
            return key, publish(self.entity().name, [key], module=self.module(), actor=actor)

    def write_related(self, key: int, data: Mapping[str, Any]) -> None:
        """Write rows that belong to the document (lines) in the same transaction; default: none."""

    def _columns(self, data: Mapping[str, Any]) -> list[tuple[str, Any]]:
        meta = self.model()._meta
        connection = self._connection()
        columns = []
        for field in meta.concrete_fields:
            if field.name in data and not field.primary_key:
                value = data[field.name]
                value = value.pk if isinstance(value, models.Model) else value
                columns.append((field.column, field.get_db_prep_save(value, connection)))
        return columns

    def _connection(self) -> Any:
        return connections[ownership.alias_of(self.module())]

    def _insert(self, data: Mapping[str, Any]) -> int:
        columns = self._columns(self.complete_new([data])[0])
        names = ", ".join(f'"{name}"' for name, _ in columns)
        marks = ", ".join(["%s"] * len(columns))
        statement = (
            f"with l as materialized (select pg_advisory_xact_lock_shared({ADVISORY_CLASS}, "
            f"{entity_lock(self.entity().name)})) "
            f'insert into "{self.model()._meta.db_table}" ({names}) select {marks} from l returning id'
        )
        with reader_errors(self.entity().name), cursor(self.module()) as cur:
            cur.execute(statement, [value for _, value in columns])
            return int(cur.fetchone()[0])

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

    def _update(self, row: M, data: Mapping[str, Any], retire: bool) -> int:
        columns = self._columns(data)
        assignments = [f'"{name}" = %s' for name, _ in columns]
        assignments += ["version = version + 1", "updated_at = clock_timestamp()"]
        if retire:
            assignments.append("retired_at = coalesce(retired_at, clock_timestamp())")
        condition = "t.id = %s" + (" and t.version = %s" if self.expected_version is not None else "")
        statement = (
            f"with l as materialized (select pg_advisory_xact_lock_shared({ADVISORY_CLASS}, "
            f"{entity_lock(self.entity().name)})) "
            f'update "{self.model()._meta.db_table}" t set {", ".join(assignments)} from l where {condition}'
        )
        values = [value for _, value in columns] + [row.pk]
        if self.expected_version is not None:
            values.append(self.expected_version)
        with reader_errors(self.entity().name), cursor(self.module()) as cur:
            cur.execute(statement, values)
            if cur.rowcount != 1:
                self._explain_miss(row)
        return int(row.pk)

    def _explain_miss(self, row: M) -> None:
        with cursor(self.module()) as cur:
            cur.execute(f'select version from "{self.model()._meta.db_table}" where id = %s', [row.pk])
            found = rows_as_dicts(cur)
        if not found:
            raise NotFound(f"{self.entity().name} {row.pk} does not exist")
        raise StaleVersion(
            f"{self.entity().name} {row.pk} is at version {found[0]['version']}, your change was based on "
            f"version {self.expected_version}; load it again and repeat your change",
            current=found[0]["version"],
            expected=self.expected_version,
        )

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
        clean = cls._validated(rows) if validate else [dict(row) for row in rows]
        if not clean:
            return []
        return retrying(cls.module(), lambda: write_batch(cls, clean, actor))

    @classmethod
    def _validated(cls, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        serializer = cls(data=list(rows), many=True)
        for field in serializer.child.fields.values():  # type: ignore[attr-defined]
            field.validators = [v for v in field.validators if not hasattr(v, "queryset")]
        serializer.child.validators = []  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        return [dict(row) for row in serializer.validated_data]


def retire_all(serializer: type[OwnerSerializer[Any]], rows: Iterable[OwnedModel], actor: Actor) -> int:
    """Retire rows one transaction each, in key order; returns how many."""
    done = 0
    for row in sorted(rows, key=lambda r: r.pk):
        serializer(row).retire(actor=actor)
        done += 1
    return done
