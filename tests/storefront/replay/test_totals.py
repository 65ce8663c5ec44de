"""Control totals tie out: of the committed excerpt always, of the full history where it lies."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from storefront.services.replay.history import open_history
from storefront.services.replay.linking import SaleLinker
from storefront.services.replay.planning import plan
from storefront.services.replay.rules import Disposition
from storefront.services.replay.survey import Survey, take_survey
from storefront.services.replay.totals import Totals

from .making import EXCERPT, invoice, record

ROOT = Path(__file__).parents[3]
FULL = Path(os.environ.get("ERP_SHARED_DIR", ROOT.parent / "shared")) / "data" / "online-retail" / "orders.csv.gz"


def survey_of(path: Path, directory: Path, limit: int | None = None) -> Survey:
    with open_history(str(path), directory, limit=limit) as history:
        return take_survey(history)


def sum_of_file(path: Path) -> Decimal:
    """Add up the file without any of the code under test."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        return sum(
            (
                (int(row["Quantity"]) * Decimal(row["UnitPrice"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
                for row in csv.DictReader(lines)
            ),
            Decimal(0),
        )


def test_excerpt_ties_out(tmp_path: Path) -> None:
    totals = survey_of(EXCERPT, tmp_path).totals
    assert (totals.rows, totals.invoices, totals.orders, totals.rejected) == (590, 105, 54, 0)
    assert totals.net_total == sum_of_file(EXCERPT) == Decimal("-49413.57")
    assert sum(totals.by_disposition.values()) == totals.rows
    assert sum(totals.by_treatment.values()) == totals.rows


def test_excerpt_has_every_kind_but_bad_debt_and_rejected(tmp_path: Path) -> None:
    totals = survey_of(EXCERPT, tmp_path).totals
    missing = [kind for kind, count in totals.by_kind().items() if not count["invoices"]]
    assert missing == ["bad_debt", "rejected"]
    assert totals.as_json()["by_disposition"] == {
        "sale": 499,
        "free_goods": 3,
        "adjustment": 19,
        "adjustment_noted": 4,
        "cancellation": 52,
        "money_only_cancellation": 13,
        "bad_debt": 0,
        "rejected": 0,
    }


def test_limits_add_up_to_the_whole(tmp_path: Path) -> None:
    rows = [survey_of(EXCERPT, tmp_path, limit).totals.rows for limit in (0, 1, 50, 105, 500)]
    assert rows == sorted(rows)
    assert rows[0] == 0
    assert rows[-1] == rows[-2] == 590


def test_rejected_rows_stay_in_the_totals_and_are_listed() -> None:
    totals = Totals()
    totals.add(invoice(record("536365"), record("536365", customer_id="?", line=3, quantity=1, unit_price="1")))
    totals.add(invoice(record("536366", quantity="x", line=4), record("536366", line=5)))
    totals.add(invoice(record("536367", stock_code="TEST001", country="Atlantis")))
    found = totals.as_json()
    assert (found["rows"], found["invoices"], found["orders"], found["rejected"]) == (5, 3, 1, 4)
    assert sum(totals.by_disposition.values()) == 5
    assert (found["net_total"], found["rejected_net"]) == ("46.90", "31.60")
    assert found["rejections"] == [
        {"invoice": "536365", "rows": 2, "problems": ["line 3: CustomerID '?' is not five digits"]},
        {"invoice": "536366", "rows": 2, "problems": ["line 4: Quantity 'x' is not a whole number"]},
    ]
    assert found["unknown_codes"] == {"TEST001": 1}
    assert found["unknown_countries"] == {"Atlantis": 1}


def test_nothing_read_is_zero() -> None:
    found = Totals().as_json()
    assert (found["rows"], found["net_total"]) == (0, "0.00")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Survey, SaleLinker]]:
    """Survey and plan the full history once."""
    if not FULL.is_file():
        pytest.skip(f"control totals of the full history not checked: {FULL} is missing (set ERP_SHARED_DIR)")
    with open_history(str(FULL), tmp_path_factory.mktemp("spool")) as history:
        survey = take_survey(history)
        linker = SaleLinker(survey.cancelled_pairs)
        for _document in plan(history, linker):
            pass
        yield survey, linker


def test_full_history_ties_out(full: tuple[Survey, SaleLinker]) -> None:
    totals = full[0].totals
    assert (totals.rows, totals.invoices, totals.orders, totals.rejected) == (285_421, 14_722, 11_135, 0)
    assert totals.net_total == Decimal("5079250.87")
    assert totals.cancelled_net == Decimal("-466436.81")
    assert totals.quantity == 2_683_283
    assert sum(totals.by_disposition.values()) == totals.rows
    assert (totals.unknown_codes, totals.unknown_countries) == ({}, {})


def test_full_history_has_the_known_kinds(full: tuple[Survey, SaleLinker]) -> None:
    kinds = {kind: tuple(count.values()) for kind, count in full[0].totals.by_kind().items()}
    assert kinds == {
        "sale": (11_134, 278_922),
        "free_goods": (1, 1),
        "adjustment": (1_311, 1_319),
        "cancellation": (2_042, 4_883),
        "money_only_cancellation": (234, 296),
        "bad_debt": (0, 0),
        "rejected": (0, 0),
    }
    dispositions = full[0].totals.by_disposition
    assert (dispositions[Disposition.FREE_GOODS], dispositions[Disposition.ADJUSTMENT_NOTED]) == (347, 5)


def test_full_history_has_the_known_masters(full: tuple[Survey, SaleLinker]) -> None:
    survey = full[0]
    assert len(survey.products) == 3_632
    assert sum(not customer.is_cash for customer in survey.customers) == 3_193
    assert str(survey.opening_on) == "2010-11-30"
    assert min(survey.remaining_pieces.values()) == 0


def test_full_history_links_what_can_be_linked(full: tuple[Survey, SaleLinker]) -> None:
    linker = full[1]
    assert (linker.linked_rows, linker.partly_linked_rows) == (3_873, 22)
    # 84 rows of fees and samples are journal entries and are not looked up
    assert linker.linked_rows + linker.partly_linked_rows + linker.unlinked_rows == 5_179 - 84
