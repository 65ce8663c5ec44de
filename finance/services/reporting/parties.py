"""Supplier and buyer of a report, from what the document froze and what was repaired since."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from finance.errors import NotReportable
from finance.nav.parties import (
    Address,
    Buyer,
    DomesticTaxpayer,
    EuTaxpayer,
    NonTaxableOrganisation,
    PrivatePerson,
    SimpleAddress,
    Supplier,
    TaxNumber,
    ThirdCountryBuyer,
)

_BANK_ACCOUNT = re.compile(r"[0-9]{8}(-[0-9]{8}){1,2}|[A-Z]{2}[0-9]{2}[0-9A-Za-z]{11,30}")
_POSTCODE = re.compile(r"[A-Z0-9][A-Z0-9 \-]{1,8}[A-Z0-9]")
_COMMUNITY_NUMBER = re.compile(r"[A-Z]{2}[0-9A-Z]{2,13}")
_NUMBERS = re.compile(r"\s*[/;,]\s*")

NO_POSTCODE = "0000"
"""What the NAV wants where a foreign address has no postal code."""


def supplier_of(frozen: Mapping[str, Any], buyer: Buyer) -> Supplier:
    """The company as the document froze it; its community number goes with a buyer who has one."""
    number = _tax_number(frozen.get("tax_number"), "the company's tax number")
    community = str(frozen.get("community_vat_number") or f"HU{number.taxpayer_id}")
    member = frozen.get("group_member_tax_number")
    return Supplier(
        tax_number=number,
        name=str(frozen.get("name") or ""),
        address=_address(frozen, "the company"),
        group_member_tax_number=_tax_number(member, "the company's number in its VAT group") if member else None,
        community_vat_number=community if isinstance(buyer, EuTaxpayer) else "",
        bank_account=_bank_account(frozen.get("bank_account")),
        individual_exemption=bool(frozen.get("is_individually_exempt")),
    )


def buyer_of(frozen: Mapping[str, Any]) -> Buyer:
    """The buyer with exactly the data that may be reported of this kind.

    Raises:
        NotReportable: name, address or tax number is missing or cannot be read; the message tells which.
    """
    status = str(frozen.get("vat_status") or "private")
    if status == "private":
        return PrivatePerson()
    name, address = str(frozen.get("name") or ""), _address(frozen, "the buyer")
    number = str(frozen.get("tax_number") or "").strip()
    if status == "vat_group":
        return _group_member(number, name, address)
    if status == "domestic":
        return DomesticTaxpayer(_tax_number(number, "the buyer's tax number"), name, address)
    if status == "organisation" or (status == "eu" and not number):  # reported by name and address alone
        return NonTaxableOrganisation(name, address)
    if status == "third_country":
        return ThirdCountryBuyer(name, address, number)
    plain = number.replace(" ", "").replace("-", "").upper()
    if not _COMMUNITY_NUMBER.fullmatch(plain):
        raise NotReportable(f"the buyer's community VAT number cannot be read: {number!r}")
    return EuTaxpayer(plain, name, address)


def _group_member(numbers: str, name: str, address: Address) -> DomesticTaxpayer:
    """A member of a VAT group: the group's number (fifth code 5) and the member's (code 4), in either order."""
    found = [_tax_number(part, "the buyer's tax number") for part in _NUMBERS.split(numbers) if part]
    group = next((n for n in found if n.vat_code == "5"), None)
    member = next((n for n in found if n.vat_code == "4"), None)
    if group is None:
        raise NotReportable(
            "the buyer is in a VAT group, so the group's number is needed as well; "
            "give both in the tax number, e.g. 17777777-5-42 / 99887764-4-02"
        )
    return DomesticTaxpayer(group, name, address, group_member_tax_number=member)


def _tax_number(text: Any, whose: str) -> TaxNumber:
    try:
        return TaxNumber.parse(str(text or "").upper().removeprefix("HU"))
    except ValueError as error:
        raise NotReportable(f"{whose} cannot be read: {str(text or '')!r}") from error


def _address(data: Mapping[str, Any], whose: str) -> SimpleAddress:
    country = str(data.get("country") or "HU").upper()
    postcode = str(data.get("postcode") or "").strip().upper()
    if not postcode and country != "HU":
        postcode = NO_POSTCODE
    missing = [name for name in ("city", "street") if not str(data.get(name) or "").strip()]
    if not _POSTCODE.fullmatch(postcode):
        missing.insert(0, "postcode")
    if missing:
        raise NotReportable(f"the address of {whose} lacks {', '.join(missing)}")
    return SimpleAddress(country, postcode, str(data["city"]), str(data["street"]))


def _bank_account(text: Any) -> str:
    plain = str(text or "").replace(" ", "")
    return plain if _BANK_ACCOUNT.fullmatch(plain) else ""
