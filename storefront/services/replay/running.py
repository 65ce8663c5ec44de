"""A whole replay: prepare, book every invoice that is not booked yet, tie out."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from erp.actor import Actor, acting_as
from erp.db import cursor, module_transaction
from erp.relay import drain
from finance import api as finance_api
from logistics import api as logistics_api
from storefront.models import ReplayedInvoice
from storefront.services.pricing import NoVatRate, vat_rates

from .assumptions import PAID_FROM, SOURCE, Assumptions, reference
from .booking import Booker
from .documents import Document, Rejected
from .history import History, Watch, open_history
from .linking import SaleLinker
from .planning import plan
from .preparing import receive_opening_stock, save_customers, save_products
from .survey import Survey, take_survey

ACTOR = Actor(None, "replay", "system")
FIRST_DAY = date(2000, 1, 1)  # no history begins before
SHOWN = 5  # problems of a kind that are told one by one
RUN_LOCK = 0x45525020  # advisory lock: one replay at a time


class ReplayBusy(Exception):
    """Another replay is running; wait for it to finish."""


@dataclass
class Outcome:
    """What a replay did, and how it ties out."""

    survey: Survey
    booked: int = 0  # invoices booked by this run
    repeated: int = 0  # invoices that an earlier run had booked
    refused_links: int = 0
    booked_net: Decimal = Decimal(0)  # net of everything booked for this history, by any run; read back from Finance
    trial_balance: Decimal = Decimal(0)
    stock_difference: int = 0  # pieces by which on hand differs from receipts - issues + returns + adjustments
    books: dict[str, list[str]] = field(default_factory=dict)  # chains, subledgers, VAT: where the books do not hold
    waiting: int = 0  # relay items not done
    seconds: float = 0.0
    profile_s: dict[str, float] = field(default_factory=dict)  # where the time went

    @property
    def problems(self) -> list[str]:
        """Why the history does not tie out; empty when it does."""
        totals = self.survey.totals
        expected = totals.net_total - totals.rejected_net
        found = []
        if self.booked_net != expected:
            found.append(f"{self.booked_net} net is booked, the file has {expected}")
        if self.trial_balance:
            found.append(f"the trial balance is {self.trial_balance}, not 0")
        if self.stock_difference:
            found.append(f"stock on hand differs from its moves by {self.stock_difference} pieces")
        if self.waiting:
            found.append(f"{self.waiting} documents still wait for Finance: see stuck work in the admin")
        for sentences in self.books.values():
            found += sentences[:SHOWN]
            if len(sentences) > SHOWN:
                found.append(f"and {len(sentences) - SHOWN} more like this")
        return found

    def as_json(self) -> dict[str, Any]:
        """The control totals and how the run went."""
        return {
            **self.survey.totals.as_json(),
            "booked": self.booked,
            "repeated": self.repeated,
            "refused_links": self.refused_links,
            "booked_net": str(self.booked_net.quantize(Decimal("0.01"))),
            "trial_balance": str(self.trial_balance),
            "stock_difference": self.stock_difference,
            "chain_damages": len(self.books.get("chains", [])),
            "subledger_differences": len(self.books.get("subledgers", [])),
            "vat_differences": len(self.books.get("vat", [])),
            "waiting": self.waiting,
            "peak_mb": peak_mb(),
            "seconds": round(self.seconds, 1),
            "profile_s": {name: round(value, 1) for name, value in self.profile_s.items()},
        }


def peak_mb() -> float:
    """Peak resident memory of this process in megabytes."""
    try:
        # The kernel's own mark starts anew with the program; rusage's begins with what the parent had.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)
    except (OSError, IndexError):
        unit = 1024 * 1024 if sys.platform == "darwin" else 1024
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def replay(
    name: str,
    assumed: Assumptions,
    *,
    limit: int | None = None,
    watch: Watch | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Send a retail history through the real write paths; can be interrupted and run again.

    Raises SourceError (nothing was booked by this run) and ReplayBusy.
    """
    began = time.monotonic()
    directory = Path(settings.ERP_HOME) / "replay"
    directory.mkdir(parents=True, exist_ok=True)
    with acting_as(ACTOR), open_history(name, directory, limit=limit, watch=watch) as history, _only_one():
        outcome = _book_all(history, assumed, progress)
    outcome.seconds = time.monotonic() - began
    return outcome


class _only_one:  # noqa: N801  reads as a verb at its one use
    def __enter__(self) -> None:
        with cursor("storefront") as cur:
            cur.execute("select pg_try_advisory_lock(%s)", [RUN_LOCK])
            if not cur.fetchone()[0]:
                raise ReplayBusy("another replay is running; wait for it to finish")

    def __exit__(self, *error: object) -> None:
        with cursor("storefront") as cur:
            cur.execute("select pg_advisory_unlock(%s)", [RUN_LOCK])


def _book_all(history: History, assumed: Assumptions, progress: Callable[[int, int], None]) -> Outcome:
    done = set(ReplayedInvoice.objects.filter(source=SOURCE).values_list("number", flat=True))
    survey = take_survey(history, replayed=done)
    outcome = Outcome(survey)
    base = str(settings.BASE_CURRENCY)
    _prepare_books(assumed, survey, base)
    booker = Booker(
        assumed, save_customers(survey.customers, assumed, ACTOR), save_products(survey.products, assumed, ACTOR),
        ACTOR,
    )  # fmt: skip
    receive_opening_stock(survey, dict(booker.products), assumed, base, ACTOR)
    drain("logistics")
    total = len(history)
    for count, document in enumerate(plan(history, SaleLinker(survey.cancelled_pairs)), start=1):
        _book_one(document, done, booker, outcome)
        progress(count, total)
    outcome.refused_links = booker.refused_links
    _tie_out(outcome, [reference(invoice.number) for invoice in history])
    return outcome


def _prepare_books(assumed: Assumptions, survey: Survey, base_currency: str) -> None:
    finance_api.set_up_books(ACTOR)
    if assumed.currency != base_currency and survey.opening_on:
        row = {"currency": assumed.currency, "rate_on": survey.opening_on, "rate": assumed.rate, "source": "replay"}
        finance_api.save_exchange_rates([row])
    if not logistics_api.list_warehouses():
        logistics_api.save_warehouse({"code": "MAIN", "name": "Main warehouse"})
    if survey.opening_on:
        _require_vat_code(assumed.vat_code, survey.opening_on + timedelta(days=1))


def _require_vat_code(code: str, on_date: date) -> None:
    if code not in (valid := vat_rates(on_date)):
        known = ", ".join(sorted(valid))
        raise NoVatRate(f"VAT code {code!r} is not valid on {on_date}, the first day; valid are {known}", vat_code=code)


def _book_one(document: Document, done: set[str], booker: Booker, outcome: Outcome) -> None:
    if isinstance(document, Rejected):
        return
    number = document.header.number
    if number in done:
        outcome.repeated += 1
        return
    began = time.perf_counter()
    booker.book(document)
    with module_transaction("storefront"):
        ReplayedInvoice.objects.get_or_create(source=SOURCE, number=number)
    kind = type(document).__name__.lower()
    outcome.profile_s[kind] = outcome.profile_s.get(kind, 0.0) + time.perf_counter() - began
    outcome.booked += 1


def _tie_out(outcome: Outcome, references: Sequence[str]) -> None:
    outcome.waiting = drain("logistics")
    # What costs us was paid from the bank; fees inside an order stand on its invoice.
    entries = finance_api.moved_on_account(references, PAID_FROM)
    outcome.booked_net = finance_api.net_of_references(references) + entries
    outcome.trial_balance = finance_api.books_difference()
    outcome.books = finance_api.books_problems(FIRST_DAY, timezone.now().date())
    outcome.stock_difference = logistics_api.stock_difference()
