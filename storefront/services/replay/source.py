"""Reads the file of order lines: csv or csv.gz, or `-` for standard input."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, cast

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
GZIP_MAGIC = b"\x1f\x8b"
# A forgotten newline must not make us read a whole file as one line.
LONGEST_LINE_BYTES = 65_536


class SourceError(Exception):
    """The file cannot be read, or cannot be read beyond a line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Keep the line (counted from 1, the header is line 1) beside the reason."""
        self.reason = reason
        self.line = line
        super().__init__(reason if line is None else f"line {line}: {reason}")


class Record(NamedTuple):
    """One order line as text, and the line of the file on which it begins."""

    line: int
    invoice_no: str
    stock_code: str
    description: str
    quantity: str
    invoice_date: str
    unit_price: str
    customer_id: str
    country: str


@contextmanager
def open_source(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`; gzip is told by its first bytes, not by the name.

    Raises SourceError when the file cannot be opened.
    """
    if name == "-":
        yield _unpacked(cast(io.BufferedReader, sys.stdin.buffer))
        return
    try:
        stream = open(name, "rb")
    except OSError as error:
        raise SourceError(f"cannot open {name}: {error.strerror}") from error
    with stream:
        yield _unpacked(stream)


def _unpacked(stream: io.BufferedReader) -> BinaryIO:
    """Look at the first bytes without consuming them and unpack gzip."""
    try:
        packed = stream.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
    except OSError as error:
        raise SourceError(f"cannot read: {error.strerror}") from error
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the order lines of an open file; blank lines are passed over.

    Raises SourceError with the line at a wrong header, a wrong number of columns, broken quoting, text that is
    not UTF-8 and a gzip stream that ends early or is damaged.
    """
    reader = csv.reader(_text_lines(stream), strict=True)
    begins = 1
    try:
        _check_header(next(reader, None))
        begins = reader.line_num + 1
        for fields in reader:
            if fields:
                if len(fields) != len(HEADER):
                    raise SourceError(f"{len(fields)} columns instead of {len(HEADER)}", begins)
                yield Record(begins, *fields)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"broken csv, {error}", begins) from error


def _check_header(fields: list[str] | None) -> None:
    if fields is None:
        raise SourceError("the file is empty, a header was expected", 1)
    if tuple(fields) != HEADER:
        raise SourceError(f"wrong header {','.join(fields)!r}, expected {','.join(HEADER)!r}", 1)


def _text_lines(stream: BinaryIO) -> Iterator[str]:
    """Yield decoded lines; every error of the stream names the line at which it showed."""
    number = 0
    while True:
        number += 1
        try:
            raw = stream.readline(LONGEST_LINE_BYTES + 1)
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except EOFError as error:
            raise SourceError("the gzip stream ends early (truncated file)", number) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(f"damaged gzip stream, {error}", number) from error
        except UnicodeDecodeError as error:
            raise SourceError(f"not UTF-8 at byte {error.start + 1} of the line", number) from error
        except OSError as error:
            raise SourceError(f"cannot read on: {error.strerror or error}", number) from error
        if not raw:
            return
        if len(raw) > LONGEST_LINE_BYTES:
            raise SourceError(f"longer than {LONGEST_LINE_BYTES} bytes", number)
        yield text
