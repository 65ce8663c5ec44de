"""What the pages of Finance's documents share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from erp.duties import has_duty
from erp.money import minor_units
from finance.models import JournalLine
from finance.services.document_flow import flow_of
from finance.staff.buttons import buttons_of, links_of

_TABLE = (
    '<div class="overflow-x-auto" style="width: 0; min-width: 100%">'
    '<table class="w-full text-sm"><thead><tr>{}</tr></thead>'
    "<tbody>{}</tbody></table></div>"
)


class WithButtons:
    """Shows the buttons and links that make sense for the row in its state, above its page."""

    change_form_outer_before_template = "finance/_buttons.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The row below its buttons."""
        row = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        may = row is not None and has_duty(request.user, "finance")
        shown = {"buttons": buttons_of(row) if may else [], "links": links_of(row) if may else []}
        return super().changeform_view(  # type: ignore[misc]
            request, object_id, form_url, {**(extra_context or {}), **shown}
        )


def table(headings: list[str], rows: list[list[Any]]) -> SafeString:
    """A small table inside a page."""
    head = format_html_join("", '<th class="px-3 py-1 text-left">{}</th>', ([h] for h in headings))
    body = format_html_join(
        "", "<tr>{}</tr>", ([format_html_join("", '<td class="px-3 py-1">{}</td>', ([c] for c in row))] for row in rows)
    )
    return format_html(_TABLE, head, body)


def shown(amount: Any, currency: str) -> str:
    """An amount with its currency's decimals."""
    return f"{amount:,.{minor_units(currency)}f}"


def postings(kinds: tuple[str, ...], key: int, currency: str) -> SafeString:
    """Ledger lines of a document."""
    lines = JournalLine.objects.filter(document_kind__in=kinds, document_id=key).order_by("entry_id", "line_no")
    rows = [
        [
            x.entry_no, x.entry_on, f"{x.account_id} {x.account_name}",
            shown(x.amount, currency) if x.amount > 0 else "", shown(-x.amount, currency) if x.amount < 0 else "",
            x.text,
        ]
        for x in lines[:200]
    ]  # fmt: skip
    return table(["Entry", "Date", "Account", "Debit", "Credit", "Text"], rows)


def flow(row: Any) -> SafeString | str:
    """What the document came from and led to, in every module, oldest first."""
    rows = [
        [d.kind, format_html('<a class="underline" href="{}">{}</a>', d.url, d.number) if d.url else d.number, d.state,
         d.at.strftime("%Y-%m-%d %H:%M") if d.at else ""]
        for d in flow_of(row)
    ]  # fmt: skip
    return table(["Document", "Number", "State", "At"], rows)
