"""What the NAV says about a tax number, and where a customer's data differ from it."""

from __future__ import annotations

from dataclasses import dataclass

from erp.errors import Refused
from finance.errors import ReportingNotSetUp
from finance.models import CustomerCopy
from finance.nav.answers import Taxpayer
from finance.nav.client import Backoff, NavClient
from finance.nav.errors import NavError
from finance.nav.parties import TaxNumber
from finance.nav.transport import Timeouts
from finance.services.reporting.connection import connect, describe

# A person waits, and so does a web thread: a NAV that hangs is told after seconds, and asked once.
PATIENCE = Timeouts(connect_s=3.0, read_s=5.0, total_s=8.0)
ONCE = Backoff(attempts=1)


@dataclass(frozen=True)
class Checked:
    """The answer about one number, and what in the customer's master data does not agree with it."""

    number: str
    taxpayer: Taxpayer
    differences: tuple[str, ...]
    is_stand_in: bool

    @property
    def full_number(self) -> str:
        """As the NAV has it: all three parts where it says them."""
        found = self.taxpayer
        return "-".join(part for part in (found.taxpayer_id, found.vat_code, found.county_code) if part)


def check_tax_number(number: str, customer: CustomerCopy | None = None, client: NavClient | None = None) -> Checked:
    """Ask the NAV about a Hungarian tax number; only reads.

    Raises:
        Refused: it cannot be a Hungarian tax number, or the NAV cannot be asked now; the message says why.
    """
    plain = number.strip().upper().removeprefix("HU").split("/")[0]
    try:
        wanted = TaxNumber.parse(plain)
    except ValueError:
        raise Refused(
            f"{number.strip() or 'An empty text'} is no Hungarian tax number: give 8 or 11 digits, e.g. 12345678-2-41"
        ) from None
    try:
        found = (client or connect(timeouts=PATIENCE, backoff=ONCE)).query_taxpayer(wanted.taxpayer_id)
    except ReportingNotSetUp as error:
        raise Refused(error.message) from error
    except NavError as error:
        raise Refused(f"The NAV cannot be asked now: {error}") from error
    return Checked(number.strip(), found, tuple(_differences(wanted, found, customer)), bool(describe()["is_stand_in"]))


def _differences(wanted: TaxNumber, found: Taxpayer, customer: CustomerCopy | None) -> list[str]:
    if not found.name:
        return []
    told = []
    for ours, theirs, what in (
        (wanted.vat_code, found.vat_code, "VAT code (9th digit)"),
        (wanted.county_code, found.county_code, "county code"),
    ):
        if ours and theirs and ours != theirs:
            told.append(f"the {what} is {theirs} at the NAV, {ours} here")
    if customer is None:
        return told
    if customer.name.casefold() not in (found.name.casefold(), found.short_name.casefold()):
        told.append(f"the name is {found.name} at the NAV, {customer.name} here")
    if found.vat_group and customer.vat_status != "vat_group":
        told.append(f"it is a member of VAT group {found.vat_group}; choose that VAT status and give both numbers")
    seats = [a for a in found.addresses if a.kind == "HQ"] or list(found.addresses)
    if seats and not any(a.postcode == customer.postcode for a in seats):
        told.append(f"the seat is in {seats[0].postcode} {seats[0].city}, here {customer.postcode} {customer.city}")
    return told
