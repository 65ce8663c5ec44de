"""supplierInfo, customerInfo and fiscalRepresentativeInfo of a report."""

from lxml import etree

from finance.nav.parties import (
    Address,
    Buyer,
    DomesticTaxpayer,
    EuTaxpayer,
    FiscalRepresentative,
    NamedBuyer,
    PrivatePerson,
    SimpleAddress,
    Supplier,
    TaxNumber,
    ThirdCountryBuyer,
)
from finance.nav.xml_values import add, add_base, add_text, clean_text


def add_supplier(head: etree._Element, supplier: Supplier) -> None:
    """Append `supplierInfo`."""
    info = add(head, "supplierInfo")
    _add_tax_number(add(info, "supplierTaxNumber"), supplier.tax_number)
    if supplier.group_member_tax_number:
        _add_tax_number(add(info, "groupMemberTaxNumber"), supplier.group_member_tax_number)
    if supplier.community_vat_number:
        add(info, "communityVatNumber", supplier.community_vat_number)
    add_text(info, "supplierName", supplier.name, 512)
    _add_address(add(info, "supplierAddress"), supplier.address)
    if supplier.bank_account:
        add(info, "supplierBankAccountNumber", supplier.bank_account)
    if supplier.individual_exemption:
        add(info, "individualExemption", "true")


def add_customer(head: etree._Element, buyer: Buyer) -> None:
    """Append `customerInfo` with the data allowed for this kind of buyer, and no more."""
    info = add(head, "customerInfo")
    if isinstance(buyer, PrivatePerson):
        add(info, "customerVatStatus", "PRIVATE_PERSON")
        return
    add(info, "customerVatStatus", "DOMESTIC" if isinstance(buyer, DomesticTaxpayer) else "OTHER")
    _add_vat_data(info, buyer)
    add_text(info, "customerName", buyer.name, 512)
    _add_address(add(info, "customerAddress"), buyer.address)
    if buyer.bank_account:
        add(info, "customerBankAccountNumber", buyer.bank_account)


def add_fiscal_representative(head: etree._Element, representative: FiscalRepresentative) -> None:
    """Append `fiscalRepresentativeInfo`."""
    info = add(head, "fiscalRepresentativeInfo")
    _add_tax_number(add(info, "fiscalRepresentativeTaxNumber"), representative.tax_number)
    add_text(info, "fiscalRepresentativeName", representative.name, 512)
    _add_address(add(info, "fiscalRepresentativeAddress"), representative.address)
    if representative.bank_account:
        add(info, "fiscalRepresentativeBankAccountNumber", representative.bank_account)


def _add_vat_data(info: etree._Element, buyer: NamedBuyer) -> None:
    if isinstance(buyer, DomesticTaxpayer):
        number = add(add(info, "customerVatData"), "customerTaxNumber")
        _add_tax_number(number, buyer.tax_number)
        if buyer.group_member_tax_number:
            _add_tax_number(add(number, "groupMemberTaxNumber"), buyer.group_member_tax_number)
    elif isinstance(buyer, EuTaxpayer):
        add(add(info, "customerVatData"), "communityVatNumber", buyer.community_vat_number)
    elif isinstance(buyer, ThirdCountryBuyer) and buyer.third_state_tax_id:
        add_text(add(info, "customerVatData"), "thirdStateTaxId", buyer.third_state_tax_id, 50)


def _add_tax_number(parent: etree._Element, number: TaxNumber) -> None:
    add_base(parent, "taxpayerId", number.taxpayer_id)
    if number.vat_code:
        add_base(parent, "vatCode", number.vat_code)
    if number.county_code:
        add_base(parent, "countyCode", number.county_code)


def _add_address(parent: etree._Element, address: Address) -> None:
    is_simple = isinstance(address, SimpleAddress)
    inner = add_base(parent, "simpleAddress" if is_simple else "detailedAddress")
    add_base(inner, "countryCode", address.country)
    add_base(inner, "postalCode", address.postal_code)
    add_base(inner, "city", clean_text(address.city, 255))
    if isinstance(address, SimpleAddress):
        add_base(inner, "additionalAddressDetail", clean_text(address.street, 255))
        return
    add_base(inner, "streetName", clean_text(address.street_name, 255))
    add_base(inner, "publicPlaceCategory", clean_text(address.public_place, 50))
    optional = {
        "number": address.number,
        "building": address.building,
        "staircase": address.staircase,
        "floor": address.floor,
        "door": address.door,
        "lotNumber": address.lot_number,
    }
    for name, text in optional.items():
        if cleaned := clean_text(text, 50):
            add_base(inner, name, cleaned)
