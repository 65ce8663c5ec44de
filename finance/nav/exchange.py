"""One request and its answer, kept for the archive without the secrets of the request."""

import re
from dataclasses import dataclass, field
from datetime import datetime

_SECRET = re.compile(rb"(<((?:\w+:)?(?:passwordHash|requestSignature|login|exchangeToken))\b[^>]*>)[^<]*(</\2>)")


def redact(request: bytes) -> bytes:
    """Return a request without login, password hash, signature and exchange token."""
    return _SECRET.sub(rb"\1***\3", request)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire in one call."""

    operation: str
    request_id: str
    sent_at: datetime
    answered_at: datetime | None
    http_status: int | None
    raw_request: bytes = field(repr=False)  # with secrets: never stored, never logged
    response: bytes = field(repr=False, default=b"")

    @property
    def request(self) -> bytes:
        """The request as it may be archived."""
        return redact(self.raw_request)
