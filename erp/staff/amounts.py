"""Amounts on staff pages, in the minor units of their currency; prices without the zeros that storage adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Model
from django.http import HttpRequest

from erp.fields import AmountField, UnitPriceField
from erp.formats import format_amount, format_number
from erp.money import minor_units

LANGUAGE = "en"  # of the staff's pages
_NEIGHBOURS = ("invoice", "payment", "order")  # rows that may have the currency of an amount that has none itself


def with_amounts(model: type[Model], names: Sequence[Any], *, is_list: bool = False) -> list[Any]:
    """Names of fields, those of money replaced by columns that show them as people write them.

    A list does not say the currency twice when it has a column for it.
    """
    has_currency = is_list and "currency" in names
    fields = {field.name: field for field in model._meta.concrete_fields}
    shown = []
    for name in names:
        field = fields.get(name) if isinstance(name, str) else None
        if isinstance(field, AmountField | UnitPriceField):
            shown.append(_column(model, field, has_currency=has_currency))
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


@cache  # the same column each time: a page's fields and its read-only fields are compared
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


def readable_fieldsets(model: type[Model], fieldsets: Any, written: AbstractSet[Any] = frozenset()) -> Any:
    """Fieldsets of an admin page in which amounts are readable, but for the fields that are ``written`` there."""

    def readable(names: Any) -> list[Any]:
        made: list[Any] = []
        for name in names:
            if isinstance(name, list | tuple):
                made.append(tuple(readable(name)))
            else:
                made += [name] if name in written else with_amounts(model, [name])
        return made

    return [(title, {**options, "fields": readable(options["fields"])}) for title, options in fieldsets]


class AmountColumns:
    """Mixin of admin pages: money in minor units, in lists and wherever it is only read."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields that are only read, amounts made readable."""
        page: Any = self
        return with_amounts(page.model, super().get_readonly_fields(request, obj))  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields as the page names them, amounts that are only read made readable."""
        page: Any = self
        found = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None:
            return found
        written: AbstractSet[Any] = frozenset()
        if page.has_change_permission(request, obj):
            read = {getattr(column, "__name__", column) for column in page.get_readonly_fields(request, obj)}
            written = set(flatten_fieldsets(found)) - read
        return readable_fieldsets(page.model, found, written)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns as the page names them, amounts made readable."""
        page: Any = self
        return with_amounts(page.model, super().get_list_display(request), is_list=True)  # type: ignore[misc]
