"""How the stand-in says no at once."""

from collections.abc import Sequence

HTTP_STATUS = {
    "INVALID_SECURITY_USER": 401,
    "NOT_REGISTERED_CUSTOMER": 500,
    "INVALID_CUSTOMER": 500,
    "INVALID_USER_RELATION": 500,
    "FORBIDDEN": 500,
    "OPERATION_FAILED": 500,
    "NOT_ALLOWED_EXCEPTION": 500,
    "MAINTENANCE_MODE": 503,
}
"""Codes with another HTTP status than 400."""


class Refusal(Exception):
    """A request is refused with a code; `technical` has one (code, message) for each schema breach."""

    def __init__(self, code: str, message: str, technical: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.technical = tuple(technical)

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return HTTP_STATUS.get(self.code, 400)


class Unreadable(Refusal):
    """A request that is no request: answered without header and software (GeneralExceptionResponse)."""
