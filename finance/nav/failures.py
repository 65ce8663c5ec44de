"""Turns what came back from the wire into an answer's root or the right exception."""

from lxml import etree

from finance.nav.answer_reading import read_technical
from finance.nav.errors import (
    CREDENTIAL_CODES,
    CredentialsRefused,
    NavError,
    OutcomeUnknown,
    Refused,
    TokenRefused,
    Unavailable,
)
from finance.nav.exchange import Exchange
from finance.nav.names import MANAGE_ANNULMENT, MANAGE_INVOICE, response_name
from finance.nav.transport import Answer
from finance.nav.xmlread import NotXml, parse_xml, text_of

BATCH_OPERATIONS = frozenset({MANAGE_INVOICE, MANAGE_ANNULMENT})

# Answered with HTTP 500 and yet a definite no.
_DEFINITE_500 = CREDENTIAL_CODES | {"NOT_ALLOWED_EXCEPTION"}


def answer_root(operation: str, answer: Answer, exchange: Exchange) -> etree._Element:
    """Return the root of a good answer; raises the `NavError` that says what may be done next."""
    root = _parsed(answer.body)
    if answer.status == 200 and root is not None and _is_success(root, operation):
        return root
    code = "" if root is None else text_of(root, ".//{*}errorCode") or ""
    message = "" if root is None else text_of(root, ".//{*}message") or ""
    if code == "MAINTENANCE_MODE":
        raise Unavailable(f"{operation}: {code}", retry_after_s=answer.retry_after_s, code=code, exchange=exchange)
    if answer.status >= 500 and code not in _DEFINITE_500:
        raise unclear(operation, f"HTTP {answer.status} {code}".rstrip(), exchange, answer.retry_after_s, code)
    if answer.status < 300 and not code:
        raise unclear(operation, "the answer cannot be read", exchange)
    raise _refusal(operation, code or f"HTTP_{answer.status}", message, answer.status, root, exchange)


def unclear(
    operation: str, text: str, exchange: Exchange, retry_after_s: float | None = None, code: str = ""
) -> NavError:
    """Return the failure without a clear answer: harmless for a question, open for a batch."""
    if operation in BATCH_OPERATIONS:
        return OutcomeUnknown(f"{operation}: {text}", exchange=exchange)
    return Unavailable(f"{operation}: {text}", retry_after_s=retry_after_s, code=code, exchange=exchange)


def _parsed(body: bytes) -> etree._Element | None:
    try:
        return parse_xml(body)
    except NotXml:
        return None


def _is_success(root: etree._Element, operation: str) -> bool:
    is_answer = etree.QName(root).localname == response_name(operation)
    return is_answer and text_of(root, "{*}result/{*}funcCode") == "OK"


def _refusal(
    operation: str, code: str, message: str, status: int, root: etree._Element | None, exchange: Exchange
) -> Refused:
    kind = Refused
    if code in CREDENTIAL_CODES:
        kind = CredentialsRefused
    elif code == "INVALID_EXCHANGE_TOKEN":
        kind = TokenRefused
    technical = () if root is None else read_technical(root)
    return kind(operation, code, message, http_status=status, technical=technical, exchange=exchange)
