"""What a history does not say and a replay has to assume; printed with its result."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SOURCE = "online-retail"  # first half of every external reference and key

EXPENSE_ACCOUNTS = {
    "AMAZONFEE": "529",  # other services used
    "BANK CHARGES": "532",  # bank and financial service charges
    "S": "524",  # samples: advertising
}
OTHER_EXPENSE = "529"
PAID_FROM = "384"  # fees are taken from the bank account


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Options of a replay."""

    currency: str = "GBP"  # of every document
    cost_ratio: Decimal = Decimal("0.6")  # unit cost of opening stock as a share of the base price
    vat_code: str = "ATK"  # outside the scope of VAT
    rate: Decimal = Decimal(1)  # base currency for one unit of the document currency

    def sentences(self, base_currency: str) -> list[str]:
        """The assumptions in words."""
        return [
            f"Unit prices are net, in {self.currency}; every line has VAT code {self.vat_code}.",
            f"Opening stock costs {self.cost_ratio} of the base price: the history has no cost.",
            f"One {self.currency} is {self.rate} {base_currency} throughout.",
            "Documents of a replay are not reported to the tax office.",
        ]


def reference(number: str) -> str:
    """External reference of one thing of the history."""
    return f"{SOURCE}:{number}"
