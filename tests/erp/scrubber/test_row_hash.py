"""What the copy checks expect of PostgreSQL's row hash, which its manual does not describe."""

from __future__ import annotations

import pytest

from erp.db import cursor

HASH = "hash_record_extended(row({}), 0)"


def values(*rows: str) -> list[int]:
    with cursor("finance") as cur:
        cur.execute("select " + ", ".join(HASH.format(row) for row in rows))
        return list(cur.fetchone())


@pytest.mark.django_db(databases=["finance"])
def test_equal_rows_have_equal_hashes_whatever_their_form() -> None:
    same = values(
        "1::bigint, 1.50::numeric, '{\"a\": 1.0, \"b\": 2}'::jsonb, null::text, 'é'::varchar(5)",
        "1::bigint, 1.5000::numeric(19,4), '{\"b\": 2, \"a\": 1}'::jsonb, null::text, 'é'::varchar(5)",
    )
    assert len(set(same)) == 1


@pytest.mark.django_db(databases=["finance"])
def test_rows_that_differ_by_the_least_have_other_hashes() -> None:
    different = values(
        "1, 'a'::text, null::text", "1, 'a'::text, ''::text", "1, null::text, 'a'::text", "1, 'A'::text, null::text",
        "1, 'a '::text, null::text", "2, 'a'::text, null::text", "1.0001, 'a'::text, null::text",
    )  # fmt: skip
    assert len(set(different)) == len(different)
