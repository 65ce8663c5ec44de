"""Start-and-order smoke: ``python tests/smoke.py http://127.0.0.1:8000`` against a running demo.

Standard library only: it runs as whoever started the system. An order placed over REST is followed through
Logistics, Finance, Admin and the shop, and its postings into Admin's lagged ledger within its window.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

LEDGER_WINDOW_S = 60


class Api:
    """The REST API as one of the demo's people."""

    def __init__(self, base: str, name: str, password: str) -> None:
        self.base, self.token = base.rstrip("/"), ""
        self.token = self.call("POST", "/api/v1/token/", {"username": name, "password": password})["token"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request; returns the JSON of a 2xx answer, nothing for 503, exits with the problem of any other."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        request = urllib.request.Request(f"{self.base}{path}", data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 503:  # a copy that is not filled yet says so; whoever waits asks again
                return {"results": [], "next": None}
            sys.exit(f"smoke: {method} {path} answered {error.code}: {error.read().decode()[:2000]}")

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Rows of all pages of a list."""
        found: list[dict[str, Any]] = []
        while path:
            page = self.call("GET", path)
            found += page["results"]
            path = (page["next"] or "").removeprefix(self.base)
        return found


def wait_for(what: str, look: Callable[[], Any], seconds: float) -> Any:
    """Poll until ``look`` gives something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit(f"smoke: {what} did not come within {seconds} s")
        time.sleep(0.5)


def main() -> None:
    """Order, ship, invoice, read everywhere."""
    api = Api(sys.argv[1], "integrator", "integrator")
    warehouse = Api(sys.argv[1], "logistics", "logistics")
    customer = api.rows("/api/v1/admin_app/customers/")[0]
    stock = next(s for s in api.rows("/api/v1/logistics/stock/") if s["on_hand"] - s["reserved"] > 3)
    order = api.call(
        "POST",
        "/api/v1/storefront/sales-orders/",
        {"customer_id": customer["id"], "lines": [{"product_id": stock["product_id"], "quantity": 2}]},
    )
    number = order["number"]
    here = api.call("GET", f"/api/v1/logistics/sales-orders/{order['id']}/")
    assert here["lifecycle"] == "open", here
    warehouse.call("POST", f"/api/v1/logistics/sales-orders/{order['id']}/shipments/", {})

    def invoiced(module: str) -> Any:
        rows = api.rows(f"/api/v1/{module}/invoices/")
        return next((row for row in rows if row["order_number"] == number), None)

    invoice = wait_for("the invoice at Finance", lambda: invoiced("finance"), 30)
    for reader in ("admin_app", "storefront"):
        assert invoiced(reader), f"the invoice is not visible to {reader}"
    wait_for(
        "the postings in Admin's ledger copy",
        lambda: [r for r in api.rows("/api/v1/admin_app/ledger/") if r["document_number"] == invoice["number"]],
        LEDGER_WINDOW_S,
    )
    print(f"smoke: {number} -> invoice {invoice['number']} of {invoice['gross_total']} {invoice['currency']}")  # noqa: T201


if __name__ == "__main__":
    main()
