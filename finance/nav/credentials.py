"""Who talks to the NAV: technical user, software identity, endpoint. Secrets never show in a repr."""

from dataclasses import dataclass, field

from finance.nav.names import LIVE_URL, TEST_URL
from finance.nav.signing import password_hash


@dataclass(frozen=True, slots=True)
class Credentials:
    """A technical user of one taxpayer; the test and the live system each have their own.

    Only the tax number is shown by `repr`, so the object may appear in a traceback.
    """

    tax_number: str  # the first 8 digits
    login: str = field(repr=False)
    password_hash: str = field(repr=False)
    sign_key: str = field(repr=False)
    exchange_key: str = field(repr=False)  # 16 characters

    @classmethod
    def of_password(
        cls, *, tax_number: str, login: str, password: str, sign_key: str, exchange_key: str
    ) -> "Credentials":
        """Return the credentials of a technical user; the password itself is not kept."""
        return cls(tax_number[:8], login, password_hash(password), sign_key, exchange_key)


@dataclass(frozen=True, slots=True)
class Software:
    """The invoicing software as every request names it."""

    id: str  # 18 characters of 0-9, A-Z and -
    name: str
    version: str
    developer: str
    contact: str
    operation: str = "LOCAL_SOFTWARE"
    country: str = "HU"
    developer_tax_number: str = ""


ENDPOINTS = {"live": LIVE_URL, "test": TEST_URL}
"""The NAV's own base addresses; a stand-in has an address of its own."""
