"""The real Finance, remembering what Logistics told it; it can be made to be out of order."""

from __future__ import annotations

from typing import Any

from django.db import connections

from erp.actor import SYSTEM
from erp.errors import ErpError
from finance import api as finance

_with_books: set[str] = set()  # databases whose books are set up


class FinanceRecorder:
    """Stands between Logistics' relay and finance.api: every call goes through, payloads and answers are kept."""

    def __init__(self) -> None:
        self.issues: dict[int, dict[str, Any]] = {}
        self.invoices: dict[int, str] = {}  # shipment → number
        self.credits: dict[int, dict[str, Any]] = {}
        self.valued: list[dict[str, Any]] = []
        self.is_down = False  # fault injection: an outage

    def _get_ready(self) -> None:
        if self.is_down:
            raise ErpError("Finance is out of order")
        database = connections["finance"].settings_dict["NAME"]
        if database not in _with_books:
            finance.load_demo(SYSTEM)
            _with_books.add(database)

    def invoice_goods_issue(self, issue: dict[str, Any]) -> dict[str, Any]:
        """Invoices it."""
        self._get_ready()
        self.issues[issue["shipment_id"]] = issue
        invoice = finance.invoice_goods_issue(issue)
        self.invoices[issue["shipment_id"]] = invoice["number"]
        return invoice

    def credit_return(self, ret: dict[str, Any]) -> dict[str, Any]:
        """Credits it."""
        self._get_ready()
        self.credits[ret["return_id"]] = ret
        return finance.credit_return(ret)

    def value_stock_moves(self, moves: list[dict[str, Any]]) -> None:
        """Values them."""
        self._get_ready()
        finance.value_stock_moves(moves)
        self.valued += moves
