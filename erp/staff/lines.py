"""Rows that belong to a document, below it and read-only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline

from erp.staff.amounts import readable_fieldsets, with_amounts


class ReadOnlyLines(TabularInline):  # type: ignore[misc]
    """Lines that staff see and cannot change; subclasses name the ``model`` and its ``fields``."""

    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All that is shown, amounts made readable."""
        return with_amounts(self.model, self.fields)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields as the inline names them, amounts made readable."""
        return readable_fieldsets(self.model, super().get_fieldsets(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
