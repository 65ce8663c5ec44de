"""Invoices come whole and in date order, however the lines lie in the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from storefront.services.replay.history import open_history
from storefront.services.replay.source import Record, SourceError
from storefront.services.replay.spool import Spool

from .making import EXCERPT, csv_text, record


def numbers(tmp_path: Path, *records: Record, limit: int | None = None) -> list[tuple[str, int]]:
    path = tmp_path / "lines.csv"
    path.write_text(csv_text(*records))
    with open_history(str(path), tmp_path / "var", limit=limit) as history:
        found = [(invoice.number, invoice.row_count) for invoice in history]
        assert len(found) == len(history)
        assert [(invoice.number, invoice.row_count) for invoice in history] == found, "a second reading differs"
    return found


def test_lines_of_an_invoice_need_not_be_neighbours(tmp_path: Path) -> None:
    found = numbers(tmp_path, record("536365"), record("536366"), record(" 536365 "), record("c536367"))
    assert found == [("536365", 2), ("536366", 1), ("C536367", 1)]


def test_invoices_come_by_first_date_not_by_number_or_place(tmp_path: Path) -> None:
    found = numbers(
        tmp_path,
        record("536370", invoice_date="2010-12-02 10:00:00"),
        record("536380", invoice_date="2010-12-01 10:00:00"),
        record("536371", invoice_date="2010-12-02 09:59:00"),
        record("536370", invoice_date="2010-12-02 09:58:00"),
        record("536380", invoice_date="2010-12-03 10:00:00"),
    )
    assert [number for number, _rows in found] == ["536380", "536370", "536371"]


def test_invoices_of_the_same_minute_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert [number for number, _ in numbers(tmp_path, record("536369"), record("536366"), record("536367"))] == [
        "536369",
        "536366",
        "536367",
    ]


def test_invoice_without_a_date_stays_behind_the_one_before_it(tmp_path: Path) -> None:
    found = numbers(
        tmp_path,
        record("536365", invoice_date="2010-12-01 08:00:00"),
        record("536366", invoice_date="yesterday"),
        record("536367", invoice_date="2010-12-01 09:00:00"),
    )
    assert [number for number, _ in found] == ["536365", "536366", "536367"]


def test_limit_takes_whole_invoices(tmp_path: Path) -> None:
    lines = [record("536365"), record("536366"), record("536365"), record("536366")]
    assert numbers(tmp_path, *lines, limit=1) == [("536365", 2)]
    assert numbers(tmp_path, *lines, limit=9) == [("536365", 2), ("536366", 2)]


def test_first_date_of_an_invoice_wins(tmp_path: Path) -> None:
    with open_history(str(EXCERPT), tmp_path) as history:
        apart = next(invoice for invoice in history if invoice.number == "C545569")
    assert len({row.invoiced_at for row in apart.rows}) == 2
    assert apart.invoiced_at == min(row.invoiced_at for row in apart.rows)
    assert apart.invoiced_at.utcoffset() is not None


def test_progress_may_watch_the_lines(tmp_path: Path) -> None:
    seen: list[int] = []

    def watch(records: Iterable[Record]) -> Iterable[Record]:
        for each in records:
            seen.append(each.line)
            yield each

    with open_history(str(EXCERPT), tmp_path, watch=watch):
        assert seen == list(range(2, 592))


def test_spool_leaves_no_file_behind(tmp_path: Path) -> None:
    with Spool(tmp_path / "var") as spool:
        spool.fill([record()])
        assert list((tmp_path / "var").iterdir()) == []
        assert list(spool.invoices()) == [[record()]]


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SourceError, match="cannot keep the lines on disk"):
        Spool(tmp_path / "taken")
