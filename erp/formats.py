"""Amounts, quantities and dates as people read them, in the language of the reader (Hungarian, else English)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from erp.money import minor_units, round_money

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NO_BREAK = "\u00a0"


def format_number(value: Decimal | int, language: str, places: int | None = None) -> str:
    """A number with its thousands apart: ``1 234,5`` in Hungarian, ``1,234.5`` in English.

    Args:
        places: decimal places; None: as many as the value has, without trailing zeros.
    """
    if places is None:
        text = f"{Decimal(value):,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{Decimal(value):,.{places}f}"
    if language != "hu":
        return text
    return text.replace(",", NO_BREAK).replace(".", ",")


def format_amount(amount: Decimal, currency: str, language: str) -> str:
    """An amount in the currency's minor units, without the currency's name."""
    return format_number(round_money(amount, currency), language, minor_units(currency))


def format_money(amount: Decimal, currency: str, language: str) -> str:
    """An amount with its currency: ``1 234 Ft`` or ``1 234,50 EUR`` in Hungarian, ``EUR 1,234.50`` in English."""
    number = format_amount(amount, currency, language)
    if language == "hu":
        return f"{number}{NO_BREAK}{'Ft' if currency == 'HUF' else currency}"
    return f"{currency}{NO_BREAK}{number}"


def format_date(day: date | None, language: str) -> str:
    """``2026. 11. 24.`` in Hungarian, ``24 Nov 2026`` in English; empty for no date."""
    if day is None:
        return ""
    if language == "hu":
        return f"{day.year}.{NO_BREAK}{day.month:02d}.{NO_BREAK}{day.day:02d}."
    return f"{day.day}{NO_BREAK}{_MONTHS[day.month - 1]}{NO_BREAK}{day.year}"


def format_address(address: Mapping[str, Any] | None) -> str:
    """An address of a document on one line: name, street, place, country, tax number, as far as it has them."""
    found = address or {}
    place = " ".join(str(found[name]) for name in ("postcode", "city") if found.get(name))
    parts = (found.get("name"), found.get("street"), place, found.get("country"), found.get("tax_number"))
    return ", ".join(str(part) for part in parts if part)
