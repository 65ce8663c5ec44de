"""Template filters of the shop: money, rates, ages and the tile of a product without an image."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from erp.money import minor_units, round_money
from storefront.countries import country_name

register = template.Library()

NBSP = "\u00a0"
MINUS = "\u2212"
STOCK_WINDOW_S = 15  # as in the stylesheet, where a number past this age is hidden

# Symbols that English sets before the number; everything else follows it.
_PREFIXED = {"EUR": "€", "GBP": "£", "USD": "$"}
_SUFFIXED = {"HUF": "Ft", "CZK": "Kč", "PLN": "zł", "RON": "lei"}

Seconds: TypeAlias = float | int | Decimal | timedelta
Amount: TypeAlias = Decimal | int | str


@register.filter
def money(amount: Amount | None, currency: str) -> str:
    """An amount rounded to the currency's minor unit, in the active language: `1 234 Ft`, `€1,234.50`."""
    if amount is None or amount == "":
        return ""
    return _with_symbol(round_money(Decimal(amount), currency), currency, minor_units(currency))


@register.filter
def unit_price(amount: Amount | None, currency: str) -> str:
    """A unit price: as money, but with up to six decimals where it has them."""
    if amount is None or amount == "":
        return ""
    price = Decimal(amount)
    exponent = price.normalize().as_tuple().exponent
    used = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return _with_symbol(price, currency, min(6, max(used, minor_units(currency))))


@register.filter
def percent(rate: Amount | None) -> str:
    """A rate without its trailing zeros: `27%`, `7.5%` (`7,5%` in Hungarian)."""
    if rate is None or rate == "":
        return ""
    text = f"{Decimal(rate).normalize():f}"
    return (text.replace(".", ",") if _is_hungarian() else text) + "%"


@register.filter
def age(value: Seconds | None) -> str:
    """How old something is, never understated below a minute: `3 s`, `2 min`, `5 h`, `2 d`; empty when not known."""
    if value is None or value == "":
        return ""
    seconds = _seconds(value)
    if seconds <= 59:
        return _("%(n)d s") % {"n": math.ceil(seconds)}
    if seconds < 3600:
        return _("%(n)d min") % {"n": max(1, int(seconds // 60))}
    if seconds < 86_400:
        return _("%(n)d h") % {"n": seconds // 3600}
    return _("%(n)d d") % {"n": seconds // 86_400}


@register.filter
def age_class(value: Seconds | None) -> str:
    """The class that lets the stylesheet hide a stock number once it is past its window: `age-0` to `age-15`."""
    if value is None or value == "":
        return f"age-{STOCK_WINDOW_S}"
    return f"age-{min(STOCK_WINDOW_S, math.ceil(_seconds(value)))}"


@register.filter
def stock_level(available: int) -> str:
    """`out`, `low` (five or fewer) or `in`: how the stock text is coloured."""
    if available <= 0:
        return "out"
    return "low" if available <= 5 else "in"


@register.filter
def country(code: str) -> str:
    """Name of a country in the active language."""
    return country_name(code)


@register.filter
def thumbnail(url: str) -> str:
    """Address of the small file of one of our own pictures; any other address as it is."""
    return url.replace("-1200.webp", "-480.webp") if url.startswith("/media/products/") else url


@register.filter
def initials(name: str) -> str:
    """One or two letters that stand for a product: the first letters of its first two words."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalpha()]
    return "".join(word[0] for word in words[:2]).upper() or "·"


@register.filter
def hue(key: int) -> int:
    """A hue in degrees for a product id; neighbouring ids get colours far apart (the golden angle)."""
    return int(int(key) * 137.508) % 360


@register.filter
def pattern(key: int) -> int:
    """Which of the four tile patterns a product id gets: 0 to 3."""
    return int(key) * 7 // 3 % 4


def _with_symbol(value: Decimal, currency: str, decimals: int) -> str:
    digits = f"{abs(value):,.{decimals}f}"
    sign = MINUS if value < 0 and digits.strip("0.,") else ""
    if _is_hungarian():
        digits = digits.replace(",", NBSP).replace(".", ",")
        symbol = _SUFFIXED.get(currency) or _PREFIXED.get(currency) or currency
        return f"{sign}{digits}{NBSP}{symbol}"
    if currency in _PREFIXED:
        return f"{sign}{_PREFIXED[currency]}{digits}"
    return f"{sign}{digits}{NBSP}{_SUFFIXED.get(currency, currency)}"


def _is_hungarian() -> bool:
    return (get_language() or "").startswith("hu")


def _seconds(value: Seconds) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    return max(0.0, seconds)
