"""The XML of the stand-in's answers."""

from datetime import datetime

from lxml import etree

from finance.nav.messages import timestamp_text
from finance.nav.names import API, COMMON, HEADER_VERSION, REQUEST_VERSION, response_name
from finance.nav.schema import NavSchema
from finance.nav.standin.refusals import Refusal
from finance.nav.xml_values import new_root, to_bytes

_BLANK_REQUEST = f"""<r xmlns="{API}"><software><softwareId>UNKNOWN-UNKNOWN-00</softwareId>
<softwareName>UNKNOWN</softwareName><softwareOperation>LOCAL_SOFTWARE</softwareOperation>
<softwareMainVersion>UNKNOWN</softwareMainVersion><softwareDevName>UNKNOWN</softwareDevName>
<softwareDevContact>UNKNOWN</softwareDevContact></software></r>"""


def start_answer(operation: str, request: etree._Element, now: datetime) -> etree._Element:
    """Return an OK answer: header and software echoed, the operation's part to be appended."""
    return _start(response_name(operation), request, now, Refusal("", ""))


def refusal_answer(request: etree._Element, refusal: Refusal, now: datetime, schema: NavSchema) -> bytes:
    """Return a GeneralErrorResponse; what the request has no valid form of is not echoed."""
    root = _refusal_tree(request, refusal, now)
    if schema.errors(root):
        root = _refusal_tree(etree.fromstring(_BLANK_REQUEST), refusal, now)
    return to_bytes(root)


def exception_answer(refusal: Refusal) -> bytes:
    """Return a GeneralExceptionResponse: for what cannot be read as a request."""
    root = new_root("GeneralExceptionResponse", COMMON)
    _result(root, refusal)
    return to_bytes(root)


def api(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """Append an element of the api namespace."""
    element = etree.SubElement(parent, f"{{{API}}}{name}")
    element.text = text
    return element


def common(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """Append an element of the common namespace."""
    element = etree.SubElement(parent, f"{{{COMMON}}}{name}")
    element.text = text
    return element


def _refusal_tree(request: etree._Element, refusal: Refusal, now: datetime) -> etree._Element:
    root = _start("GeneralErrorResponse", request, now, refusal)
    for code, message in refusal.technical:
        item = api(root, "technicalValidationMessages")
        common(item, "validationResultCode", "ERROR")
        common(item, "validationErrorCode", code)
        common(item, "message", message[:1024])
    return root


def _start(name: str, request: etree._Element, now: datetime, refusal: Refusal) -> etree._Element:
    root = new_root(name, API, common=COMMON)
    header = common(root, "header")
    common(header, "requestId", request.findtext("{*}header/{*}requestId") or "UNKNOWN")
    common(header, "timestamp", timestamp_text(now))
    common(header, "requestVersion", REQUEST_VERSION)
    common(header, "headerVersion", HEADER_VERSION)
    _result(common(root, "result"), refusal)
    software = request.find("{*}software")
    if software is not None:
        copied = api(root, "software")
        for part in software.iterchildren(f"{{{API}}}*"):
            api(copied, etree.QName(part).localname, part.text)
    return root


def _result(parent: etree._Element, refusal: Refusal) -> None:
    common(parent, "funcCode", "ERROR" if refusal.code else "OK")
    if refusal.code:
        common(parent, "errorCode", refusal.code)
        common(parent, "message", refusal.message[:1024] or refusal.code)
