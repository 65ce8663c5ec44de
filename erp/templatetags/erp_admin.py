"""Template filters of the staff pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from erp.ownership import MODULE_LABELS

register = template.Library()


@register.filter
def humanise(name: str) -> str:
    """``sales_order`` → ``sales order``; VAT keeps its capitals."""
    return name.replace("_", " ").replace("vat", "VAT")


@register.filter
def module_label(module: str) -> str:
    """A module's name as people say it."""
    return MODULE_LABELS.get(module, module)


@register.filter
def shown(value: Any) -> str:
    """A journal value for reading: nothing as a dash."""
    return "–" if value in (None, "", [], {}) else str(value)


@register.filter
def split(text: str, by: str) -> list[str]:
    """Parts of a text."""
    return text.split(by)


@register.filter
def cell(row: Mapping[str, Any], column: Any) -> str:
    """A report's cell by its column: money with two decimals, thousands apart."""
    value = row[column.name]
    if column.kind == "money":
        return f"{value:,.2f}"
    return f"{value:,}" if column.kind == "number" else str(value)
