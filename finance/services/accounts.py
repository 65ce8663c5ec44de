"""Which account a posting goes to: the posting rules, in one place."""

from __future__ import annotations

from datetime import date

from django.conf import settings

from erp.money import minor_units

INVENTORY = "261"
GOODS_RECEIVED_NOT_INVOICED = "456"
OPENING_BALANCE = "491"
COST_OF_GOODS_SOLD = "814"
STOCK_SHORTAGE = "8694"
STOCK_SURPLUS = "9694"
SCRAPPED_GOODS = "8698"
INPUT_VAT = "466"
OUTPUT_VAT = "467"
VAT_SETTLEMENT = "468"
VAT_ACCOUNTS = (OUTPUT_VAT, INPUT_VAT)
UNALLOCATED_PAYMENTS = "4795"
VOUCHERS_SOLD = "4796"
ADVANCES_RECEIVED = "453"
BAD_DEBTS = "8691"
ROUNDING_LOSS = "8699"
ROUNDING_GAIN = "9699"
ACCRUED_INCOME = "391"
RECEIVABLES = ("311", "312", "316", "317")
EXCHANGE_LOSS = "8762"
EXCHANGE_GAIN = "9762"
CASH = "381"
BANK = "384"
FOREIGN_BANK = "386"
PAYMENT_PROVIDERS = "3682"

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR EL HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
_BRITISH_EXIT = date(2021, 1, 1)
_CROATIAN_ENTRY = date(2013, 7, 1)


def is_eu(country: str, on_date: date) -> bool:
    """Whether a country belongs to the EU's VAT territory on a day."""
    if country == "GB":
        return on_date < _BRITISH_EXIT
    if country == "HR":
        return on_date >= _CROATIAN_ENTRY
    return country in EU


def home_country() -> str:
    """Country of the company that keeps these books."""
    return str(settings.COMPANY["country"])


def base_currency() -> str:
    """Currency in which the ledger is kept."""
    return str(settings.BASE_CURRENCY)


def base_decimals() -> int:
    """Decimal places of the base currency."""
    return minor_units(base_currency())


def receivables(country: str, currency: str) -> str:
    """Trade receivables of a customer's country in a document's currency."""
    is_base = currency == base_currency()
    if country == home_country():
        return "311" if is_base else "312"
    return "316" if is_base else "317"


def revenue(product_class: str, country: str, on_date: date) -> str:
    """Sales revenue of a line; sold vouchers and advances are owed until they are used."""
    if product_class == "advance":
        return ADVANCES_RECEIVED
    if product_class == "voucher":
        return VOUCHERS_SOLD
    if country == home_country():
        return "9112" if product_class in {"service", "shipping"} else "9111"
    return "9311" if is_eu(country, on_date) else "9312"


def money(method: str, currency: str) -> str:
    """Where a payment lands: till, provider's clearing account, bank."""
    if method == "cash":
        return CASH
    if method in {"card", "cod"}:
        return PAYMENT_PROVIDERS
    return BANK if currency == base_currency() else FOREIGN_BANK


def stock_contra(kind: str, quantity: int, document_kind: str) -> str:
    """The other side of an inventory posting."""
    if kind == "receipt":
        return OPENING_BALANCE if document_kind.startswith("opening") else GOODS_RECEIVED_NOT_INVOICED
    if kind in {"issue", "return"}:
        return COST_OF_GOODS_SOLD
    if kind == "scrap":
        return SCRAPPED_GOODS
    return STOCK_SURPLUS if quantity > 0 else STOCK_SHORTAGE
