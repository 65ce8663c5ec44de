"""Amounts on Finance's staff pages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from erp.money import minor_units
from finance.services.accounts import base_currency

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency's decimals, thousands apart."""
    return f"{amount:,.{minor_units(currency)}f} {currency}"


@register.filter
def base_amount(amount: Decimal) -> str:
    """An amount in base currency, without naming it."""
    return f"{amount:,.{minor_units(base_currency())}f}"


@register.filter
def nav_split(text: str) -> list[str]:
    """Titles of columns, given in one text with bars between them."""
    return text.split("|")


@register.filter
def nav_left(due_at: datetime) -> str:
    """How long until a moment, or how long ago it was."""
    hours, minutes = divmod(int(abs((due_at - timezone.now()).total_seconds())) // 60, 60)
    return f"{hours} h {minutes:02d} min {'left' if due_at > timezone.now() else 'late'}"
