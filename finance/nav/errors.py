"""What can go wrong between us and the NAV. The class says what may be done next.

`Refused`: nothing was taken in, and the same request would be refused again.
`Unavailable`: nothing was taken in; send again later.
`OutcomeUnknown`: it may have been taken in; find out before anything is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from finance.nav.exchange import Exchange


@dataclass(frozen=True, slots=True)
class TechnicalMessage:
    """One breach that the NAV names in a refusal or in a processing result."""

    result: str  # ERROR or CRITICAL
    code: str
    message: str


class NavError(Exception):
    """Base of all failures of a call; carries no part of the request in its text."""

    def __init__(self, text: str, *, exchange: Exchange | None = None) -> None:
        super().__init__(text)
        self.exchange = exchange


class Refused(NavError):
    """The NAV answered with an error code that a repeat does not change."""

    def __init__(
        self,
        operation: str,
        code: str,
        message: str,
        *,
        http_status: int,
        technical: Sequence[TechnicalMessage] = (),
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__(f"{operation}: {code}: {message} (HTTP {http_status})", exchange=exchange)
        self.operation = operation
        self.code = code
        self.message = message
        self.http_status = http_status
        self.technical = tuple(technical)


class CredentialsRefused(Refused):
    """Login, password, signature or the user's rights are wrong: every further call would fail too."""


class TokenRefused(Refused):
    """The exchange token is used up, too old or unknown; a new one may be asked for."""


class Unavailable(NavError):
    """The NAV took nothing in: no connection, maintenance, or an error of its own on a plain question."""

    def __init__(
        self, text: str, *, retry_after_s: float | None = None, code: str = "", exchange: Exchange | None = None
    ) -> None:
        super().__init__(text, exchange=exchange)
        self.retry_after_s = retry_after_s
        self.code = code


class OutcomeUnknown(NavError):
    """A batch was sent and no clear answer came: it may have been taken in. See `recovery`."""


class AnswerNotUnderstood(NavError):
    """A successful answer lacks what it must have."""


CREDENTIAL_CODES = frozenset(
    {
        "INVALID_SECURITY_USER",
        "INVALID_REQUEST_SIGNATURE",
        "INVALID_USER_RELATION",
        "NOT_REGISTERED_CUSTOMER",
        "INVALID_CUSTOMER",
        "FORBIDDEN",
    }
)
"""Codes that end in `CredentialsRefused`; some are sent with HTTP 500 and yet must not be repeated."""

RETRY_CODES = frozenset({"OPERATION_FAILED", "MAINTENANCE_MODE"})
"""Codes after which the same question may be asked again."""
