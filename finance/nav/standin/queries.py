"""The questions: status and list of batches, documents and their heads, taxpayers."""

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta

from lxml import etree

from finance.nav import names
from finance.nav.answer_reading import moment
from finance.nav.messages import timestamp_text
from finance.nav.standin.config import StandInClock, StandInConfig
from finance.nav.standin.digest_query import find_digests
from finance.nav.standin.envelope import Caller
from finance.nav.standin.refusals import Refusal
from finance.nav.standin.respond import api, common
from finance.nav.standin.store import Store
from finance.nav.xmlread import required

# The order in which the XSD wants a digest's parts; the rest comes from `digest` and the item's row.
_DIGEST_PARTS = (
    "invoiceNumber invoiceOperation invoiceCategory invoiceIssueDate supplierTaxNumber supplierName customerTaxNumber"
    " customerGroupMemberTaxNumber customerName paymentMethod paymentDate invoiceAppearance source invoiceDeliveryDate"
    " currency invoiceNetAmount invoiceNetAmountHUF invoiceVatAmount invoiceVatAmountHUF transactionId index"
    " originalInvoiceNumber modificationIndex insDate completenessIndicator"
).split()


class Queries:
    """Answers questions from what was kept; each method appends the operation's part to the answer."""

    def __init__(self, config: StandInConfig, store: Store, clock: StandInClock) -> None:
        self._config = config
        self._store = store
        self._clock = clock

    def transaction_status(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Answer queryTransactionStatus."""
        batch = self._store.first(
            "SELECT * FROM batch WHERE transaction_id = ? AND tax_number = ?",
            *(required(request, "{*}transactionId"), caller.tax_number),
        )
        if batch is None:
            return
        results = api(answer, "processingResults")
        with_original = request.findtext("{*}returnOriginalRequest") in ("true", "1")
        for item in self._store.rows("SELECT * FROM item WHERE seq = ? ORDER BY idx", batch["seq"]):
            self._add_result(results, batch, item, with_original=with_original)
        api(results, "originalRequestVersion", names.REQUEST_VERSION)
        if batch["annulment"]:
            api(api(results, "annulmentData"), "annulmentVerificationStatus", batch["annulment"])

    def transaction_list(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Answer queryTransactionList."""
        since, until = _moments(request, "{*}insDate")
        wanted = request.findtext("{*}requestStatus")
        rows = self._store.rows(
            "SELECT * FROM batch WHERE tax_number = ? AND taken_in_at BETWEEN ? AND ? ORDER BY seq",
            *(caller.tax_number, since.timestamp(), until.timestamp()),
        )
        rows = [row for row in rows if wanted in (None, self._request_status(row))]
        result = api(answer, "transactionListResult")
        for row in self._page(request, result, rows):
            element = api(result, "transaction")
            api(element, "insDate", timestamp_text(datetime.fromtimestamp(row["taken_in_at"], UTC)))
            api(element, "insCusUser", row["login"])
            api(element, "source", "MGM")
            api(element, "transactionId", row["transaction_id"])
            api(element, "requestStatus", self._request_status(row))
            api(element, "technicalAnnulment", "true" if row["is_annulment"] else "false")
            api(element, "originalRequestVersion", names.REQUEST_VERSION)
            api(element, "itemCount", str(row["item_count"]))

    def invoice_data(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Answer queryInvoiceData."""
        found = self._find_invoice(request, caller)
        if found is None:
            return
        result = api(answer, "invoiceDataResult")
        api(result, "invoiceData", found["content"])
        audit = api(result, "auditData")
        api(audit, "insdate", timestamp_text(datetime.fromtimestamp(found["taken_in_at"], UTC)))
        api(audit, "insCusUser", found["login"])
        api(audit, "source", "MGM")
        api(audit, "transactionId", found["transaction_id"])
        api(audit, "index", str(found["idx"]))
        api(audit, "originalRequestVersion", names.REQUEST_VERSION)
        api(result, "compressedContentIndicator", "true" if found["is_compressed"] else "false")
        if found["hash"]:
            api(result, "electronicInvoiceHash", found["hash"]).set("cryptoType", "SHA3-512")

    def invoice_check(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Answer queryInvoiceCheck."""
        api(answer, "invoiceCheckResult", "true" if self._find_invoice(request, caller) else "false")

    def invoice_digest(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Answer queryInvoiceDigest."""
        mandatory = request.find("{*}invoiceQueryParams/{*}mandatoryQueryParams")
        assert mandatory is not None
        for path in ("{*}invoiceIssueDate", "{*}insDate"):
            if mandatory.find(path) is not None:
                _moments(mandatory, path)
        page, size = int(required(request, "{*}page")), self._config.page_size
        rows, count = find_digests(self._store, request, caller.tax_number, self._visible_until(), page, size)
        result = api(answer, "invoiceDigestResult")
        api(result, "currentPage", str(page))
        api(result, "availablePage", str((count + size - 1) // size))
        for row in rows:
            element = api(result, "invoiceDigest")
            shown = _shown(row)
            for name in _DIGEST_PARTS:
                if name in shown:
                    api(element, name, shown[name])

    def taxpayer(self, request: etree._Element, _: Caller, answer: etree._Element) -> None:
        """Answer queryTaxpayer."""
        wanted = required(request, "{*}taxNumber")
        found = next((known for known in self._config.taxpayers if known.tax_number == wanted), None)
        api(answer, "infoDate", timestamp_text(self._clock.now()))
        api(answer, "taxpayerValidity", "true" if found and found.is_valid else "false")
        if found is None:
            return
        data = api(answer, "taxpayerData")
        api(data, "taxpayerName", found.name)
        detail = api(data, "taxNumberDetail")
        for name, value in (
            ("taxpayerId", found.tax_number),
            ("vatCode", found.vat_code),
            ("countyCode", found.county_code),
        ):
            etree.SubElement(detail, f"{{{names.BASE}}}{name}").text = value
        api(data, "incorporation", "ORGANIZATION")
        if found.vat_group:
            api(data, "vatGroupMembership", found.vat_group)
        if found.address:
            item = api(api(data, "taxpayerAddressList"), "taxpayerAddressItem")
            api(item, "taxpayerAddressType", "HQ")
            address = api(item, "taxpayerAddress")
            names_of_parts = ("postalCode", "city", "streetName", "publicPlaceCategory", "number")
            for name, value in (("countryCode", "HU"), *zip(names_of_parts, found.address, strict=True)):
                etree.SubElement(address, f"{{{names.BASE}}}{name}").text = value

    def _find_invoice(self, request: etree._Element, caller: Caller) -> sqlite3.Row | None:
        query = request.find("{*}invoiceNumberQuery")
        assert query is not None
        is_outbound = required(query, "{*}invoiceDirection") == "OUTBOUND"
        side = "item.tax_number" if is_outbound else "item.customer_tax_number"
        supplier = query.findtext("{*}supplierTaxNumber")
        rows = self._store.rows(
            f"SELECT item.*, batch.* FROM item JOIN batch USING (seq) WHERE {side} = ? AND number = ?"
            " AND state = 'DONE' AND is_annulled = 0 AND operation <> 'ANNUL' AND due_at <= ?",
            *(caller.tax_number, required(query, "{*}invoiceNumber"), self._visible_until()),
        )
        if supplier and not is_outbound:
            rows = [row for row in rows if row["tax_number"] == supplier]
        if len(rows) > 1:
            raise Refusal("MULTIPLE_QUERY_RESULT_FOUND", "several suppliers have this number: name one")
        return rows[0] if rows else None

    def _add_result(
        self, results: etree._Element, batch: sqlite3.Row, item: sqlite3.Row, *, with_original: bool
    ) -> None:
        status = self._item_status(batch, item)
        element = api(results, "processingResult")
        api(element, "index", str(item["idx"]))
        api(element, "invoiceStatus", status)
        if status in ("DONE", "ABORTED"):
            _add_messages(element, item)
        api(element, "compressedContentIndicator", "true" if batch["is_compressed"] else "false")
        if with_original:
            api(element, "originalRequest", item["content"])

    def _item_status(self, batch: sqlite3.Row, item: sqlite3.Row) -> str:
        if not batch["is_processed"]:
            is_fresh = self._clock.now().timestamp() < batch["taken_in_at"] + self._config.received_s
            return "RECEIVED" if is_fresh else "PROCESSING"
        if item["state"] == "DONE" and batch["due_at"] > self._visible_until():
            return "SAVED"
        return str(item["state"])

    def _visible_until(self) -> float:
        """Batches due after this moment are SAVED at most."""
        return self._clock.now().timestamp() - self._config.saved_s

    def _request_status(self, batch: sqlite3.Row) -> str:
        if batch["is_processed"]:
            return "FINISHED" if batch["due_at"] <= self._visible_until() else "SAVED"
        is_fresh = self._clock.now().timestamp() < batch["taken_in_at"] + self._config.received_s
        return "RECEIVED" if is_fresh else "PROCESSING"

    def _page(self, request: etree._Element, result: etree._Element, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
        page, size = int(required(request, "{*}page")), self._config.page_size
        api(result, "currentPage", str(page))
        api(result, "availablePage", str((len(rows) + size - 1) // size))
        return rows[(page - 1) * size : page * size]


def _moments(parent: etree._Element, path: str) -> tuple[datetime, datetime]:
    interval = parent.find(path)
    assert interval is not None
    since, until = (_moment(end.text or "") for end in interval.iterchildren())
    if since > until:
        raise Refusal("BAD_QUERY_PARAM_OVERLAP", "the interval ends before it begins")
    if until - since > timedelta(days=names.MAX_QUERY_DAYS):
        raise Refusal("BAD_QUERY_PARAM_RANGE_EXCEEDED", f"more than {names.MAX_QUERY_DAYS} days")
    return since, until


def _moment(text: str) -> datetime:
    if "T" in text:
        return moment(text)
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)


def _shown(row: sqlite3.Row) -> dict[str, str]:
    shown: dict[str, str] = json.loads(row["digest"])
    shown |= {
        "invoiceNumber": row["number"],
        "invoiceOperation": row["operation"],
        "invoiceCategory": row["category"],
        "invoiceIssueDate": row["issued_on"],
        "source": "MGM",
        "transactionId": row["transaction_id"],
        "index": str(row["idx"]),
    }
    if row["original_number"]:
        shown |= {"originalInvoiceNumber": row["original_number"], "modificationIndex": str(row["modification_index"])}
    return shown


def _add_messages(element: etree._Element, item: sqlite3.Row) -> None:
    if item["technical"] == item["business"] == "[]":
        return
    for code, message in json.loads(item["technical"]):
        technical = api(element, "technicalValidationMessages")
        common(technical, "validationResultCode", "ERROR")
        common(technical, "validationErrorCode", code)
        common(technical, "message", message[:1024])
    for finding in json.loads(item["business"]):
        business = api(element, "businessValidationMessages")
        api(business, "validationResultCode", finding["result"])
        api(business, "validationErrorCode", finding["code"])
        api(business, "message", finding["message"][:512])
        pointer = api(business, "pointer")
        api(pointer, "tag", finding["tag"] or "invoice")
        if finding["value"].strip():
            api(pointer, "value", finding["value"][:1024])
        if finding["line"]:
            api(pointer, "line", str(finding["line"]))
        if item["original_number"]:
            api(pointer, "originalInvoiceNumber", item["original_number"])
