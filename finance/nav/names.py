"""XML namespaces, limits and fixed names of the Online Számla 3.0 interface."""

API = "http://schemas.nav.gov.hu/OSA/3.0/api"
COMMON = "http://schemas.nav.gov.hu/NTCA/1.0/common"
DATA = "http://schemas.nav.gov.hu/OSA/3.0/data"
BASE = "http://schemas.nav.gov.hu/OSA/3.0/base"
ANNUL = "http://schemas.nav.gov.hu/OSA/3.0/annul"

LIVE_URL = "https://api.onlineszamla.nav.gov.hu/invoiceService/v3"
TEST_URL = "https://api-test.onlineszamla.nav.gov.hu/invoiceService/v3"

REQUEST_VERSION = "3.0"
HEADER_VERSION = "1.0"

MAX_BATCH = 100
MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_INVOICE_BYTES = 15 * 1024 * 1024
MAX_QUERY_DAYS = 35

TOKEN_EXCHANGE = "tokenExchange"  # noqa: S105 - the name of an operation
MANAGE_INVOICE = "manageInvoice"
MANAGE_ANNULMENT = "manageAnnulment"
QUERY_TRANSACTION_STATUS = "queryTransactionStatus"
QUERY_TRANSACTION_LIST = "queryTransactionList"
QUERY_INVOICE_DATA = "queryInvoiceData"
QUERY_INVOICE_DIGEST = "queryInvoiceDigest"
QUERY_TAXPAYER = "queryTaxpayer"


def request_name(operation: str) -> str:
    """Return the root element of an operation's request, e.g. `TokenExchangeRequest`."""
    return operation[0].upper() + operation[1:] + "Request"


def response_name(operation: str) -> str:
    """Return the root element of an operation's answer, e.g. `TokenExchangeResponse`."""
    return operation[0].upper() + operation[1:] + "Response"
