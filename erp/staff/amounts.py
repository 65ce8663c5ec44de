"""Amounts in lists, in the minor units of their currency; prices without the zeros that storage adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest

from erp.fields import AmountField, UnitPriceField
from erp.formats import format_amount, format_number
from erp.money import minor_units

LANGUAGE = "en"  # of the staff's pages
_NEIGHBOURS = ("invoice", "payment", "order")  # rows that may have the currency of an amount that has none itself


def with_amounts(model: type[Model], names: Sequence[Any]) -> list[Any]:
    """Columns of a list, those of money fields replaced by columns that show them as people write them."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    shown = []
    for name in names:
        field = fields.get(name) if isinstance(name, str) else None
        if isinstance(field, AmountField | UnitPriceField):
            shown.append(_column(model, field, has_currency="currency" in names))
        else:
            shown.append(name)
    return shown


def currency_of(row: Any, name: str) -> str:
    """Currency of an amount: the row's own, its document's, or that of the books."""
    in_base = name.startswith("base_") or (name == "amount" and hasattr(row, "document_amount"))
    if not in_base:
        for holder in (row, *(getattr(row, neighbour, None) for neighbour in _NEIGHBOURS)):
            if found := getattr(holder, "currency", ""):
                return str(found)
    return str(settings.BASE_CURRENCY)


def _column(model: type[Model], field: Any, *, has_currency: bool) -> Callable[[Any], str | None]:
    is_price = isinstance(field, UnitPriceField)

    def column(row: Any) -> str | None:
        value: Decimal | None = getattr(row, field.name)
        if value is None:
            return None
        currency = currency_of(row, "" if is_price else field.name)
        text = _price(value, currency) if is_price else format_amount(value, currency, LANGUAGE)
        return text if has_currency else f"{text} {currency}"

    column.__name__ = str(field.name)
    column.short_description = str(field.verbose_name)  # type: ignore[attr-defined]
    column.admin_order_field = field.name  # type: ignore[attr-defined]
    return column


def _price(value: Decimal, currency: str) -> str:
    places = max(minor_units(currency), -int(value.normalize().as_tuple().exponent))
    return format_number(value, LANGUAGE, places)


class AmountColumns:
    """Mixin of admin lists: money in minor units."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns as the page names them, amounts made readable."""
        page: Any = self
        return with_amounts(page.model, super().get_list_display(request))  # type: ignore[misc]
