"""Amounts on Finance's staff pages."""

from __future__ import annotations

from decimal import Decimal

from django import template

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
