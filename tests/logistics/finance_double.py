"""A stand-in for Finance's api: remembers what it was asked, answers by document, can be out of order."""

from __future__ import annotations

from typing import Any

from erp.errors import ErpError


class FinanceDouble:
    """Idempotent by shipment and return, as Finance is."""

    def __init__(self) -> None:
        self.issues: dict[int, dict[str, Any]] = {}
        self.credits: dict[int, dict[str, Any]] = {}
        self.valued: list[dict[str, Any]] = []
        self.is_down = False

    def _require_up(self) -> None:
        if self.is_down:
            raise ErpError("Finance is out of order")

    def invoice_goods_issue(self, issue: dict[str, Any]) -> dict[str, Any]:
        """An invoice number per shipment."""
        self._require_up()
        self.issues[issue["shipment_id"]] = issue
        return {"id": issue["shipment_id"], "number": f"INV-{issue['shipment_id']}"}

    def credit_return(self, ret: dict[str, Any]) -> dict[str, Any]:
        """A credit note number per return."""
        self._require_up()
        self.credits[ret["return_id"]] = ret
        return {"id": ret["return_id"], "number": f"CN-{ret['return_id']}"}

    def value_stock_moves(self, moves: list[dict[str, Any]]) -> None:
        """Remembers the moves."""
        self._require_up()
        self.valued += moves
