"""Links above a record to the pages that other modules have about it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from erp.duties import has_duty
from erp.registry import registry


class WithRecordLinks:
    """Shows the registered links of the model, to those who may use the page behind."""

    change_form_outer_before_template = "erp/record_links.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The row below its links."""
        label = self.opts.label_lower  # type: ignore[attr-defined]
        links = [
            (link.title, reverse(link.url_name, args=[int(object_id)]))
            for link in registry.record_links
            if object_id and object_id.isdecimal() and link.model == label and has_duty(request.user, link.module)
        ]
        return super().changeform_view(  # type: ignore[misc]
            request, object_id, form_url, {**(extra_context or {}), "record_links": links}
        )
