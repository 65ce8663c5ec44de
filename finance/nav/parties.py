"""Supplier and buyer of an issued document, with exactly the data a report may carry for each kind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaxNumber:
    """A Hungarian tax number in its three parts."""

    taxpayer_id: str  # 8 digits
    vat_code: str = ""  # 1 digit; 5 for a VAT group, 4 for its members
    county_code: str = ""  # 2 digits

    @classmethod
    def parse(cls, text: str) -> "TaxNumber":
        """Read `12345678`, `12345678-2-41` or `12345678241`; raises `ValueError`."""
        digits = text.replace("-", "").replace(" ", "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) not in (8, 11):
            raise ValueError(f"not a Hungarian tax number: {text!r}")
        return cls(digits[:8], digits[8:9], digits[9:])


@dataclass(frozen=True, slots=True)
class SimpleAddress:
    """An address whose street line is one text."""

    country: str  # two letters
    postal_code: str
    city: str
    street: str


@dataclass(frozen=True, slots=True)
class DetailedAddress:
    """An address with its street line in parts."""

    country: str
    postal_code: str
    city: str
    street_name: str
    public_place: str  # utca, tér, sugárút...
    number: str = ""
    building: str = ""
    staircase: str = ""
    floor: str = ""
    door: str = ""
    lot_number: str = ""


Address = SimpleAddress | DetailedAddress


@dataclass(frozen=True, slots=True)
class Supplier:
    """The company that issues the document."""

    tax_number: TaxNumber
    name: str
    address: Address
    group_member_tax_number: TaxNumber | None = None
    community_vat_number: str = ""
    bank_account: str = ""
    individual_exemption: bool = False


@dataclass(frozen=True, slots=True)
class FiscalRepresentative:
    """Who answers for a supplier that is not established here."""

    tax_number: TaxNumber
    name: str
    address: Address
    bank_account: str = ""


@dataclass(frozen=True, slots=True)
class PrivatePerson:
    """A natural person who is no taxpayer: only this status may be reported, no name, no address."""


@dataclass(frozen=True, slots=True)
class DomesticTaxpayer:
    """A Hungarian taxpayer; in a VAT group `tax_number` is the group's and the member's stands beside it."""

    tax_number: TaxNumber
    name: str
    address: Address
    group_member_tax_number: TaxNumber | None = None
    bank_account: str = ""


@dataclass(frozen=True, slots=True)
class EuTaxpayer:
    """A taxpayer of another member state."""

    community_vat_number: str
    name: str
    address: Address
    bank_account: str = ""


@dataclass(frozen=True, slots=True)
class ThirdCountryBuyer:
    """A company outside the Community, with or without a tax number of its state."""

    name: str
    address: Address
    third_state_tax_id: str = ""
    bank_account: str = ""


@dataclass(frozen=True, slots=True)
class NonTaxableOrganisation:
    """An organisation that is no taxpayer (association, condominium, foreign body): no number at all."""

    name: str
    address: Address
    bank_account: str = ""


NamedBuyer = DomesticTaxpayer | EuTaxpayer | ThirdCountryBuyer | NonTaxableOrganisation
Buyer = PrivatePerson | NamedBuyer
