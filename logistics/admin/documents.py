"""What the pages of Logistics' documents share: read-only lines, and the buttons that make sense."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from erp.admin import ReadOnlyAdmin
from erp.duties import has_duty
from logistics.staff.buttons import buttons_of


class DocumentAdmin(ReadOnlyAdmin):
    """A document with the buttons that make sense in its state."""

    in_front = True
    change_form_outer_before_template = "logistics/document_buttons.html"

    def links_of(self, row: Any) -> list[tuple[str, str]]:
        """(title, URL) of the document's own pages."""
        return []

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The document below its buttons."""
        row = self.get_object(request, object_id) if object_id else None
        may = row is not None and has_duty(request.user, "logistics")
        shown = {"buttons": buttons_of(row) if may else [], "links": self.links_of(row) if may else []}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})
