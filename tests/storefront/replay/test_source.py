"""Broken files are named by line; whole ones are read as they are."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from storefront.services.replay.history import open_history
from storefront.services.replay.source import LONGEST_LINE_BYTES, Record, SourceError, open_source, read_records

from .making import EXCERPT, csv_text, record

HEADER_LINE = csv_text()
GOOD_LINE = csv_text(record()).splitlines(keepends=True)[1]


def read_bytes(content: bytes) -> list[Record]:
    return list(read_records(io.BytesIO(content)))


def read_file(path: Path) -> list[Record]:
    with open_source(str(path)) as stream:
        return list(read_records(stream))


def refusal(content: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_bytes(content)
    return caught.value


def test_plain_and_gzip_files_read_alike(tmp_path: Path) -> None:
    packed = tmp_path / "named-without-its-suffix"
    packed.write_bytes(gzip.compress(EXCERPT.read_bytes()))
    assert read_file(packed) == read_file(EXCERPT)
    assert len(read_file(EXCERPT)) == 590


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch, pack: type[bytes]) -> None:
    buffer = io.BufferedReader(io.BytesIO(pack((HEADER_LINE + GOOD_LINE).encode())))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(buffer))
    with open_source("-") as stream:
        assert [each.invoice_no for each in read_records(stream)] == ["536365"]
    assert not sys.stdin.closed


def test_byte_order_mark_windows_newlines_and_blank_lines_are_fine() -> None:
    content = b"\xef\xbb\xbf" + (HEADER_LINE + GOOD_LINE + "\n" + GOOD_LINE).replace("\n", "\r\n").encode()
    assert [each.line for each in read_bytes(content)] == [2, 4]


def test_record_within_quotes_is_named_by_its_first_line() -> None:
    two_lines = record(description="FIRST\nSECOND")
    records = read_bytes(csv_text(two_lines, record()).encode())
    assert [(each.line, each.description) for each in records] == [(2, "FIRST\nSECOND"), (4, record().description)]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match=r"cannot open .*none\.csv: No such file"),
        open_source(str(tmp_path / "none.csv")),
    ):
        pass


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="directory"), open_source(str(tmp_path)) as stream:
        list(read_records(stream))


def test_empty_file_is_refused() -> None:
    assert str(refusal(b"")) == "line 1: the file is empty, a header was expected"


@pytest.mark.parametrize(
    "header",
    [
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,Price,CustomerID,Country\n",
        "StockCode,InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
        "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n",
        GOOD_LINE,
    ],
)
def test_wrong_header_is_refused(header: str) -> None:
    error = refusal((header + GOOD_LINE).encode())
    assert error.line == 1
    assert "wrong header" in error.reason


@pytest.mark.parametrize(("line", "count"), [("536365,85123A,HEART\n", 3), (GOOD_LINE.strip() + ",more\n", 9)])
def test_wrong_column_count_names_the_line(line: str, count: int) -> None:
    error = refusal((HEADER_LINE + GOOD_LINE + line + GOOD_LINE).encode())
    assert str(error) == f"line 3: {count} columns instead of 8"


def test_truncated_gzip_names_the_line(tmp_path: Path) -> None:
    packed = tmp_path / "cut.csv.gz"
    whole = gzip.compress(EXCERPT.read_bytes())
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"^line \d+: the gzip stream ends early") as caught:
        read_file(packed)
    assert caught.value.line is not None
    assert 100 < caught.value.line < 592


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "damaged.csv.gz"
    whole = bytearray(gzip.compress(EXCERPT.read_bytes()))
    whole[len(whole) // 2 : len(whole) // 2 + 40] = b"\xff" * 40
    packed.write_bytes(whole)
    with pytest.raises(SourceError, match=r"^line \d+: "):
        read_file(packed)


def test_gzip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "checksum.csv.gz"
    whole = bytearray(gzip.compress((HEADER_LINE + GOOD_LINE).encode()))
    whole[-8] ^= 1
    packed.write_bytes(whole)
    with pytest.raises(SourceError, match="line 3: damaged gzip stream, CRC check failed"):
        read_file(packed)


def test_text_that_is_not_utf8_names_line_and_byte() -> None:
    latin = GOOD_LINE.replace("WHITE", "£").encode("latin-1")
    error = refusal((HEADER_LINE + GOOD_LINE).encode() + latin)
    assert str(error) == "line 3: not UTF-8 at byte 15 of the line"


@pytest.mark.parametrize("line", ['536365,85123A,"HEART,6\n', '536365,"85123A"B,HEART,6,,,,\n'])
def test_broken_quotes_name_the_line_where_they_open(line: str) -> None:
    error = refusal((HEADER_LINE + GOOD_LINE + line + GOOD_LINE).encode())
    assert error.line == 3
    assert "broken csv" in error.reason


def test_endless_line_is_refused() -> None:
    error = refusal(HEADER_LINE.encode() + b"x" * (LONGEST_LINE_BYTES + 1))
    assert str(error) == f"line 2: longer than {LONGEST_LINE_BYTES} bytes"


def test_broken_file_is_refused_before_the_first_invoice(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(HEADER_LINE + GOOD_LINE + "one column\n")
    with pytest.raises(SourceError, match="line 3"), open_history(str(path), tmp_path / "var"):
        pytest.fail("the history must not open")


def test_file_with_a_header_alone_is_an_empty_history(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(HEADER_LINE)
    with open_history(str(path), tmp_path / "var") as history:
        assert list(history) == []
        assert len(history) == 0
