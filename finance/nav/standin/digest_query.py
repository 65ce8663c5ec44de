"""Which documents a queryInvoiceDigest finds."""

import json
import operator
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from finance.nav.answer_reading import moment
from finance.nav.standin.store import Store
from finance.nav.xmlread import required

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GTE": operator.ge,
    "LT": operator.lt,
    "LTE": operator.le,
}
_DATES = {"invoiceDelivery": "invoiceDeliveryDate", "paymentDate": "paymentDate"}
_EQUAL = {"paymentMethod", "invoiceAppearance", "currency"}


_COLUMNS = "digest, number, operation, category, issued_on, idx, original_number, modification_index, transaction_id"


def find_digests(
    store: Store, request: etree._Element, tax_number: str, visible_until: float, page: int, size: int
) -> tuple[list[sqlite3.Row], int]:
    """Return one page (from 1) of the documents that fit the question, in the order they came, and how many fit."""
    is_outbound = required(request, "{*}invoiceDirection") == "OUTBOUND"
    side = "item.tax_number" if is_outbound else "item.customer_tax_number"
    clause, values = _mandatory(request)
    fitting = (
        f"FROM item JOIN batch USING (seq) WHERE {side} = ? AND state = 'DONE'"
        f" AND is_annulled = 0 AND operation <> 'ANNUL' AND due_at <= ? AND {clause}"
    )
    arguments = (tax_number, visible_until, *values)
    first = (page - 1) * size
    if _has_filters(request):
        rows = store.rows(f"SELECT {_COLUMNS} {fitting} ORDER BY item.id", *arguments)
        found = [row for row in rows if _fits(row, request, is_outbound=is_outbound)]
        return found[first : first + size], len(found)
    count = store.rows(f"SELECT count(*) AS n {fitting}", *arguments)[0]["n"]
    limited = f"SELECT {_COLUMNS} {fitting} ORDER BY item.id LIMIT ? OFFSET ?"
    return store.rows(limited, *arguments, size, first), count


def _has_filters(request: etree._Element) -> bool:
    params = request.find("{*}invoiceQueryParams")
    return params is not None and len(params) > 1


def _mandatory(request: etree._Element) -> tuple[str, tuple[object, ...]]:
    params = request.find("{*}invoiceQueryParams/{*}mandatoryQueryParams")
    assert params is not None
    choice = params[0]
    name = etree.QName(choice).localname
    if name == "invoiceIssueDate":
        return "issued_on BETWEEN ? AND ?", (required(choice, "{*}dateFrom"), required(choice, "{*}dateTo"))
    if name == "insDate":
        ends = (required(choice, "{*}dateTimeFrom"), required(choice, "{*}dateTimeTo"))
        return "taken_in_at BETWEEN ? AND ?", tuple(moment(end).timestamp() for end in ends)
    return "original_number = ?", (choice.text or "",)


def _fits(row: sqlite3.Row, request: etree._Element, *, is_outbound: bool) -> bool:
    params = request.find("{*}invoiceQueryParams")
    assert params is not None
    shown: dict[str, str] = json.loads(row["digest"])
    return all(
        (
            *_additional(params, row, shown, is_outbound=is_outbound),
            *_relational(params, shown),
            *_transactional(params, row),
        )
    )


def _additional(
    params: etree._Element, row: sqlite3.Row, shown: dict[str, str], *, is_outbound: bool
) -> Iterator[bool]:
    for wanted in params.iterfind("{*}additionalQueryParams/*"):
        name, text = etree.QName(wanted).localname, wanted.text or ""
        partner = "customer" if is_outbound else "supplier"
        match name:
            case "taxNumber":
                yield shown.get(f"{partner}TaxNumber") == text
            case "groupMemberTaxNumber":
                yield shown.get(f"{partner}GroupMemberTaxNumber") == text
            case "name":
                yield shown.get(f"{partner}Name", "").lower().startswith(text.lower())
            case "invoiceCategory":
                yield row["category"] == text
            case "source":
                yield text == "MGM"
            case _ if name in _EQUAL:
                yield shown.get(name) == text


def _relational(params: etree._Element, shown: dict[str, str]) -> Iterator[bool]:
    for wanted in params.iterfind("{*}relationalQueryParams/*"):
        name = etree.QName(wanted).localname
        compare = _OPERATORS[required(wanted, "{*}queryOperator")]
        value, held = required(wanted, "{*}queryValue"), shown.get(_DATES.get(name, name))
        if held is None:
            yield False
        elif name in _DATES:
            yield compare(held, value)
        else:
            yield compare(Decimal(held), Decimal(value))


def _transactional(params: etree._Element, row: sqlite3.Row) -> Iterator[bool]:
    wanted = params.find("{*}transactionQueryParams")
    if wanted is None:
        return
    yield row["transaction_id"] == required(wanted, "{*}transactionId")
    yield wanted.findtext("{*}index") in (None, str(row["idx"]))
    yield wanted.findtext("{*}invoiceOperation") in (None, row["operation"])
