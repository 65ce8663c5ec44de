"""Checks that every request must pass: schema, versions, time, user, rights, signature, id."""

from dataclasses import dataclass
from datetime import timedelta

from lxml import etree

from finance.nav import names
from finance.nav.answer_reading import moment
from finance.nav.schema import NavSchema
from finance.nav.signing import index_hash, request_signature
from finance.nav.standin.config import StandInClock, StandInConfig, StandInUser
from finance.nav.standin.refusals import Refusal, Unreadable
from finance.nav.standin.store import Store
from finance.nav.xmlread import NotXml, parse_xml, required

_MAX_CLOCK_DIFFERENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request that passed all checks."""

    user: StandInUser
    tax_number: str
    request_id: str

    @property
    def login(self) -> str:
        """The technical user's login."""
        return self.user.credentials.login


def read_request(operation: str, body: bytes) -> etree._Element:
    """Return the root of a request for this path; raises `Unreadable`."""
    try:
        root = parse_xml(body)
    except NotXml as error:
        raise Unreadable("INVALID_REQUEST", f"not well formed: {error}") from error
    if root.tag != f"{{{names.API}}}{names.request_name(operation)}":
        raise Unreadable("INVALID_REQUEST", f"{root.tag} is not a request of {operation}")
    return root


def check_schema(root: etree._Element, schema: NavSchema) -> None:
    """Refuse a request that breaks the XSD, with one message for each breach."""
    errors = schema.errors(root)
    if errors:
        breaches = [("SCHEMA_VIOLATION", error) for error in errors]
        raise Refusal("INVALID_REQUEST", "the request does not follow the schema", breaches)


def check_caller(root: etree._Element, operation: str, config: StandInConfig, clock: StandInClock) -> Caller:
    """Return the caller of a valid request; raises `Refusal` with the first thing that is wrong."""
    _check_versions(root)
    sent_at = moment(required(root, "{*}header/{*}timestamp"))
    if abs(clock.now() - sent_at) > _MAX_CLOCK_DIFFERENCE:
        raise Refusal("INVALID_TIMESTAMP", "the time stamp is more than a day off")
    tax_number = required(root, "{*}user/{*}taxNumber")
    user = _find_user(root, config)
    _check_relation(user, tax_number, operation, config)
    request_id = required(root, "{*}header/{*}requestId")
    expected = request_signature(request_id, sent_at, user.credentials.sign_key, _index_hashes(root))
    if required(root, "{*}user/{*}requestSignature") != expected:
        raise Refusal("INVALID_REQUEST_SIGNATURE", "the signature does not fit the request")
    return Caller(user, tax_number, request_id)


def register_request_id(store: Store, caller: Caller) -> None:
    """Note down the id of a request, in the transaction that takes it in: a refused one stays free."""
    changed = store.run("INSERT OR IGNORE INTO request_id VALUES (?, ?)", caller.tax_number, caller.request_id)
    if not changed:
        raise Refusal("REQUEST_ID_NOT_UNIQUE", "this request id was used before")


def _check_versions(root: etree._Element) -> None:
    if required(root, "{*}header/{*}requestVersion") != names.REQUEST_VERSION:
        raise Refusal("INVALID_REQUEST_VERSION", "requestVersion must be 3.0")
    if root.findtext("{*}header/{*}headerVersion") not in (None, names.HEADER_VERSION):
        raise Refusal("INVALID_HEADER_VERSION", "headerVersion must be 1.0")
    for tag, kind, code in (
        ("passwordHash", "SHA-512", "INVALID_PASSWORD_HASH_CRYPTO"),
        ("requestSignature", "SHA3-512", "INVALID_REQUEST_SIGNATURE_HASH_CRYPTO"),
    ):
        element = root.find(f"{{*}}user/{{*}}{tag}")
        if element is None or element.get("cryptoType") != kind:
            raise Refusal(code, f"cryptoType must be {kind}")


def _find_user(root: etree._Element, config: StandInConfig) -> StandInUser:
    login = required(root, "{*}user/{*}login")
    password_hash = required(root, "{*}user/{*}passwordHash")
    for user in config.users:
        if user.credentials.login == login and user.credentials.password_hash == password_hash:
            return user
    raise Refusal("INVALID_SECURITY_USER", "unknown login or wrong password")


def _check_relation(user: StandInUser, tax_number: str, operation: str, config: StandInConfig) -> None:
    registered = {taxpayer.tax_number: taxpayer for taxpayer in config.taxpayers}
    own = user.credentials.tax_number
    if tax_number != own:
        is_known = tax_number in registered or any(tax_number == u.credentials.tax_number for u in config.users)
        code = "INVALID_USER_RELATION" if is_known else "NOT_REGISTERED_CUSTOMER"
        raise Refusal(code, f"the user does not belong to taxpayer {tax_number}")
    if own in registered and not registered[own].is_valid:
        raise Refusal("INVALID_CUSTOMER", f"taxpayer {own} is not in a valid state")
    if user.rights and operation not in user.rights:
        raise Refusal("FORBIDDEN", f"the user has no right to {operation}")


def _index_hashes(root: etree._Element) -> list[str]:
    batch = root.find("{*}invoiceOperations")
    if batch is not None:
        return [
            index_hash(required(item, "{*}invoiceOperation"), required(item, "{*}invoiceData"))
            for item in _by_index(batch, "invoiceOperation")
        ]
    annulments = root.find("{*}annulmentOperations")
    if annulments is None:
        return []
    return [
        index_hash(required(item, "{*}annulmentOperation"), required(item, "{*}invoiceAnnulment"))
        for item in _by_index(annulments, "annulmentOperation")
    ]


def _by_index(batch: etree._Element, name: str) -> list[etree._Element]:
    return sorted(batch.iterfind(f"{{*}}{name}"), key=lambda item: int(required(item, "{*}index")))
