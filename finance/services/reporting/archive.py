"""Whether the archive is what was sent: every archived document against the hash that was written down with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db import connections

from erp.db import cursor, snapshot
from erp.ownership import alias_of
from finance.nav.signing import sha3_512
from finance.nav.xmlread import ContentTooLarge, NotGzip, unpacked

OF_DAYS = """
select s.number, t.batch_id, t.hash, t.xml from nav_submission s join nav_item t on t.submission_id = s.invoice_id
where s.issued_on between %(first)s and %(last)s"""

# What was issued or reported lately, and of what is older another part each night, so that all is read within a month.
OF_TONIGHT = """
select s.number, t.batch_id, t.hash, t.xml from nav_submission s join nav_item t on t.submission_id = s.invoice_id
where s.issued_on >= %(since)s or s.done_at >= %(since)s or s.invoice_id %% %(nights)s = %(night)s"""


def altered_archives(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Of the rows of one of these statements: (number, what is wrong) where XML and hash do not fit each other."""
    for row in rows:
        try:
            content = unpacked(bytes(row["xml"]))
        except (NotGzip, ContentTooLarge) as error:
            yield row["number"], f"the archived XML of request {row['batch_id']} cannot be unpacked: {error}"
            continue
        if sha3_512(content.decode("utf-8", "replace")) != row["hash"]:
            yield row["number"], f"the archived XML of request {row['batch_id']} is not what its hash says"


def altered_in(first: date, last: date) -> Iterator[tuple[str, str]]:
    """The same of all documents issued in these days, for a thread of its own: its connection is given back."""
    try:
        yield from altered_archives(_archives_of(first, last))
    finally:
        connections[alias_of("finance")].close()


def _archives_of(first: date, last: date) -> Iterator[dict[str, Any]]:
    """Streamed: however many there are, a few are in memory."""
    names = ("number", "batch_id", "hash", "xml")
    with snapshot("finance"), cursor("finance") as cur, connections[alias_of("finance")].wrap_database_errors:
        for row in cur.cursor.stream(OF_DAYS, {"first": first, "last": last}):
            yield dict(zip(names, row, strict=True))
