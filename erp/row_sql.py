"""SQL of writing one owned row: the first part of a publishing statement (erp/publishing.py)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from django.db import connections, models

from erp import ownership
from erp.models import OwnedModel

Columns = list[tuple["models.Field[Any, Any]", Any]]
"""Fields to be written, with values as the database takes them."""

Statement = tuple[str, list[Any]]


@functools.cache
def _sql_type(field: models.Field[Any, Any]) -> str:
    connection = connections[ownership.alias_of(ownership.module_of_app(field.model._meta.app_label))]
    found = field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
    assert found
    return found


def columns_of(model: type[OwnedModel], data: Mapping[str, Any]) -> Columns:
    """The model's own columns among ``data`` (values by field name)."""
    connection = connections[ownership.alias_of(ownership.module_of_app(model._meta.app_label))]
    columns: Columns = []
    for field in model._meta.concrete_fields:
        if field.name in data and not field.primary_key:
            value = data[field.name]
            value = value.pk if isinstance(value, models.Model) else value
            columns.append((field, field.get_db_prep_save(value, connection)))
    return columns


def creation(model: type[OwnedModel], columns: Columns) -> Statement:
    """INSERT of one row."""
    names = ", ".join(f'"{field.column}"' for field, _ in columns)
    marks = ", ".join(f"%s::{_sql_type(field)}" for field, _ in columns)
    statement = f'insert into "{model._meta.db_table}" as t ({names}) select {marks} from l returning t.*'
    return statement, [value for _, value in columns]


def change(row: OwnedModel, columns: Columns, *, retire: bool, expected_version: int | None) -> Statement:
    """UPDATE of one row to its next version, if it is still at the expected one."""
    assignments = [f'"{field.column}" = %s::{_sql_type(field)}' for field, _ in columns]
    assignments += ["version = t.version + 1", "updated_at = clock_timestamp()"]
    if retire:
        assignments.append("retired_at = coalesce(t.retired_at, clock_timestamp())")
    arguments = [*(value for _, value in columns), row.pk]
    condition = "t.id = %s::bigint"
    if expected_version is not None:
        condition += " and t.version = %s::bigint"
        arguments.append(expected_version)
    statement = f'update "{row._meta.db_table}" t set {", ".join(assignments)} from l where {condition} returning t.*'
    return statement, arguments
