"""What a stock code stands for: goods, or one of the codes that are no product."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Treatment(StrEnum):
    """How the lines of a code are booked."""

    GOODS = "goods"  # moves stock
    SERVICE = "service"  # order line without stock
    SHIPPING = "shipping"  # postage and carriage, order line without stock
    DISCOUNT = "discount"  # order line that lowers the total
    VOUCHER = "voucher"  # sold: a liability until redeemed
    SAMPLES = "samples"  # expense
    FEE = "fee"  # charged by others (marketplace, bank, commission): journal entry
    BAD_DEBT = "bad_debt"  # journal entry


KNOWN_CODES = {
    "POST": Treatment.SHIPPING,  # postage
    "DOT": Treatment.SHIPPING,  # postage of the web shop
    "C2": Treatment.SHIPPING,  # carriage
    "C3": Treatment.SHIPPING,
    "M": Treatment.SERVICE,  # typed in by hand
    "PADS": Treatment.SERVICE,
    "D": Treatment.DISCOUNT,
    "S": Treatment.SAMPLES,
    "AMAZONFEE": Treatment.FEE,
    "BANK CHARGES": Treatment.FEE,
    "CRUK": Treatment.FEE,  # share given to a charity
    "B": Treatment.BAD_DEBT,
}
# On a cancellation these are booked as journal entries: there is no customer's invoice to credit.
JOURNAL_TREATMENTS = frozenset({Treatment.SAMPLES, Treatment.FEE, Treatment.BAD_DEBT})

_GOODS = re.compile(r"[0-9]{5}[A-Z]{0,3}|DCGS[0-9A-Z]+")
_VOUCHER = "GIFT_"


@lru_cache(maxsize=16_384)
def treatment_of(code: str) -> Treatment:
    """Return the treatment of a canonical code; a code we do not know is a service line."""
    if _GOODS.fullmatch(code):
        return Treatment.GOODS
    if code.startswith(_VOUCHER):
        return Treatment.VOUCHER
    return KNOWN_CODES.get(code, Treatment.SERVICE)


def is_unknown(code: str) -> bool:
    """Tell whether a code is neither goods nor one of the codes we know."""
    return treatment_of(code) is Treatment.SERVICE and code not in KNOWN_CODES
