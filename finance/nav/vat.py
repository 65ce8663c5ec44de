"""How a VAT code appears in a tax-office report: exactly one element, with its value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class VatElement(StrEnum):
    """The eight alternatives of `lineVatRate` and of a summary's `vatRate`."""

    PERCENTAGE = "vatPercentage"
    CONTENT = "vatContent"
    EXEMPTION = "vatExemption"
    OUT_OF_SCOPE = "vatOutOfScope"
    DOMESTIC_REVERSE_CHARGE = "vatDomesticReverseCharge"
    MARGIN_SCHEME = "marginSchemeIndicator"
    AMOUNT_MISMATCH = "vatAmountMismatch"
    NO_VAT_CHARGE = "noVatCharge"


EXEMPTION_CASES = frozenset({"AAM", "TAM", "KBAET", "KBAUK", "EAM", "NAM"})
OUT_OF_SCOPE_CASES = frozenset({"ATK", "EUFAD37", "EUFADE", "EUE", "HO"})
MISMATCH_CASES = frozenset({"REFUNDABLE_VAT", "NONREFUNDABLE_VAT"})

VatKey = tuple[str, str, str]
"""Element, value and case: what a summary row is kept under, in the report as in the ledger's check."""


@dataclass(frozen=True, slots=True)
class VatTreatment:
    """The VAT treatment of a line and of its summary row."""

    element: VatElement
    # Rate as a fraction (0.27), case (KBAET), scheme (SECOND_HAND), or `true`.
    value: str
    # Text of the legal ground; exemption and out of scope only, one per case in a document.
    reason: str = ""
    # The rate inside the gross amount, for a simplified invoice (0.2126); percentage only.
    content: str = ""
    # REFUNDABLE_VAT or NONREFUNDABLE_VAT; amount mismatch only.
    case: str = ""

    @property
    def key(self) -> VatKey:
        """What the summary row of a NORMAL or AGGREGATE document is kept under."""
        return (str(self.element), self.value, self.case)

    @property
    def is_taxed(self) -> bool:
        """Whether an amount of VAT may stand beside it."""
        return self.element in (VatElement.PERCENTAGE, VatElement.CONTENT, VatElement.AMOUNT_MISMATCH)

    def simplified(self) -> "VatTreatment":
        """Return the form a simplified invoice shows: a rate becomes the content of the gross amount.

        Raises `LookupError` for a rate that has no content value (farmer compensation).
        """
        if self.element is not VatElement.PERCENTAGE:
            return self
        if not self.content:
            raise LookupError(f"VAT rate {self.value} cannot stand on a simplified invoice")
        return VatTreatment(VatElement.CONTENT, self.content)


def treatment_of_code(row: Mapping[str, str]) -> VatTreatment:
    """Return the treatment of one VAT code definition.

    `row` has `nav_element`, `nav_value`, `nav_vat_content`, `law_ref` and `name_hu`; the reason is
    the law reference, or the code's Hungarian name when the law names none. An amount mismatch gives rate and
    case in `nav_value`: `0.27 REFUNDABLE` or `0.27 NONREFUNDABLE`.
    """
    element = VatElement(row["nav_element"])
    value, _, case = row["nav_value"].partition(" ")
    with_reason = element in (VatElement.EXEMPTION, VatElement.OUT_OF_SCOPE)
    reason = (row["law_ref"] or row["name_hu"])[:200] if with_reason else ""
    return VatTreatment(element, value, reason, row["nav_vat_content"], f"{case}_VAT" if case else "")
