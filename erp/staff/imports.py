"""Import of CSV and XLSX files through the owner's bulk serializer; the preview validates and writes nothing.

django-import-export's own dry run writes every row and rolls back; here a preview only reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from import_export import resources
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.results import Error, Result, RowResult
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from erp.db import retrying
from erp.serializers import OwnerSerializer
from erp.staff.forms import refused_by

BATCH_ROWS = 1_000
MAX_ROWS = 50_000


class OwnerResource(resources.ModelResource):  # type: ignore[misc]
    """Rows of a file ↔ rows of an owned entity; subclasses set ``serializer_class`` and ``Meta``.

    A row whose natural key exists is an update, or skipped when nothing in it differs; all or nothing.
    """

    serializer_class: ClassVar[type[OwnerSerializer[Any]]]

    def import_data(self, dataset: Any, dry_run: bool = False, raise_errors: bool = False, **kwargs: Any) -> Result:
        """Validate the whole file and, unless it is a preview, write it in one transaction."""
        result = Result()
        result.diff_headers = list(dataset.headers or [])
        result.total_rows = len(dataset)
        try:
            self._check_file(dataset)
            rows = [self._clean_row(row) for row in dataset.dict]
            clean = self._validate(rows, result)
            changed = [] if result.has_validation_errors() else self._compare(rows, clean, result)
            if changed and not dry_run:
                self._write(changed)
        except Exception as error:
            found = refused_by(error)
            if raise_errors or (found is None and not isinstance(error, UnreadableFile)):
                raise
            result.append_base_error(Error(error if found is None else UnreadableFile(_text(found.messages))))
        return result

    def _check_file(self, dataset: Any) -> None:
        headers = list(dataset.headers or [])
        serializer = self.serializer_class()
        known = set(serializer.fields) | {f.name for f in self.serializer_class.model()._meta.concrete_fields}
        unknown = [str(h) for h in headers if h not in known]
        if unknown:
            raise UnreadableFile(f"Unknown columns: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        if len(set(headers)) < len(headers):
            raise UnreadableFile("A column occurs twice.")
        key = self.serializer_class.natural_key
        if key not in headers:
            raise UnreadableFile(f"The column {key} is missing: it tells which row is meant.")
        if len(dataset) > MAX_ROWS:
            raise UnreadableFile(f"The file has {len(dataset)} rows; give at most {MAX_ROWS} at a time.")

    def _clean_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        fields = self.serializer_class().fields
        return {
            name: _cell(fields[name], value)
            for name, value in row.items()
            if name in fields and not fields[name].read_only
        }

    def _validate(self, rows: Sequence[Mapping[str, Any]], result: Result) -> list[dict[str, Any]]:
        """Validated rows; what is wrong goes into the result under the row's number."""
        key = self.serializer_class.natural_key
        try:
            clean = self.serializer_class.validate_rows(rows)
            details: list[Any] = [{} for _ in rows]
        except ValidationError as error:
            clean, details = [], list(error.detail)
        seen: dict[Any, int] = {}
        for number, (row, detail) in enumerate(zip(rows, details, strict=True), start=1):
            problems = {str(name): [str(m) for m in found] for name, found in dict(detail).items()}
            if not row.get(key):
                problems.setdefault(key, ["Give a value: it tells which row is meant."])
            elif row[key] in seen:
                problems.setdefault(key, [f"{row[key]} stands in row {seen[row[key]]} already."])
            else:
                seen[row[key]] = number
            if problems:
                result.append_invalid_row(number, row, DjangoValidationError(problems))
                result.totals[RowResult.IMPORT_TYPE_INVALID] += 1
        return clean

    def _compare(
        self, rows: Sequence[Mapping[str, Any]], clean: Sequence[dict[str, Any]], result: Result
    ) -> list[dict[str, Any]]:
        """Tell new, changed and equal rows apart by one query; returns what must be written."""
        key = self.serializer_class.natural_key
        model = self.serializer_class.model()
        present = {
            getattr(found, key): found
            for found in model._default_manager.filter(**{f"{key}__in": [row[key] for row in clean]})
        }
        changed = []
        for row, values in zip(rows, clean, strict=True):
            before = present.get(values[key])
            differs = {n for n, v in values.items() if before is None or getattr(before, n) != v}
            made = RowResult()
            made.import_type = _import_type(before, differs)
            made.diff = [_difference(before, name, row.get(name), name in differs) for name in result.diff_headers]
            made.add_instance_info(before)
            made.object_repr = made.object_repr or str(values[key])
            result.append_row_result(made)
            result.increment_row_result_total(made)
            if differs:
                changed.append(values)
        return changed

    def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        def run() -> None:
            for at in range(0, len(rows), BATCH_ROWS):
                self.serializer_class.bulk_save(rows[at : at + BATCH_ROWS], validate=False)

        retrying(self.serializer_class.module(), run)


class UnreadableFile(Exception):
    """The file as a whole cannot be imported; the message says why."""


class OwnerImportMixin(ImportExportMixin):  # type: ignore[misc]
    """Import and export buttons for an OwnedAdmin; set ``resource_classes``."""

    import_form_class = ImportForm
    export_form_class = ExportForm
    formats = (CSV, XLSX)
    from_encoding = "utf-8-sig"
    skip_admin_log = True  # the change journal has every row

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Importing writes: it needs what the form needs."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """Say what was done; a file that was refused between preview and confirmation changed nothing."""
        if result.has_errors() or result.has_validation_errors():
            texts = [str(error.error) for error in result.base_errors]
            texts += [f"row {row.number}: {row.error_dict}" for row in result.invalid_rows[:5]]
            messages.error(request, f"Nothing was imported. {' '.join(texts)}")
            return HttpResponseRedirect(reverse("admin:{}_{}_import".format(*self.get_model_info())))
        response: HttpResponse = super().process_result(result, request)
        return response


def _cell(field: Any, value: Any) -> Any:
    """A cell as the serializer wants it: spreadsheets give numbers for codes and nothing for empty text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        value = value.strip()
    if value is None:
        value = ""
    if isinstance(field, serializers.JSONField):
        if value == "":
            return {}
        try:
            return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value
        except ValueError:
            return value
    if isinstance(field, serializers.CharField) and not isinstance(value, str):
        value = str(value)
    return None if value == "" and field.allow_null else value


def _import_type(before: Model | None, differs: set[str]) -> str:
    if before is None:
        return str(RowResult.IMPORT_TYPE_NEW)
    return str(RowResult.IMPORT_TYPE_UPDATE if differs else RowResult.IMPORT_TYPE_SKIP)


def _difference(before: Model | None, name: str, value: Any, differs: bool) -> str:
    shown = "" if value is None else value
    if before is None or not differs:
        return str(format_html("{}", shown))
    return str(format_html("<del>{}</del> <ins>{}</ins>", getattr(before, name, ""), shown))


def _text(found: Mapping[str | None, list[str]]) -> str:
    return " ".join(f"{name}: {m}" if name else m for name, texts in found.items() for m in texts)
