"""Keeping the search's word table in step with the product copy; runs every few seconds, off the write path."""

from __future__ import annotations

from erp.db import cursor, module_transaction
from erp.fields import dump_json
from storefront.services.search import words_of
from storefront.services.typos import neighbours_of

BATCH = 1_000
MAX_WORD = 40
LOCK = 0x5EA4C  # one run at a time

_CHANGED = """
select p.id, p.version, p.name || ' ' || p.sku || ' ' || p.category from product_copy p
left join searched_product s on s.product_id = p.id
where s.version is distinct from p.version order by p.id limit %s"""


def index_words(batches: int = 200) -> int:
    """Take in the words of products that are new or changed; returns how many products were.

    Every batch is a transaction of its own, so a run that is cut off has lost nothing. Words that no product has
    any more stay until :func:`forget_words`: a correction that finds nothing is never offered.
    """
    done = 0
    for _ in range(batches):
        taken = _index_batch()
        done += taken
        if taken < BATCH:
            break
    return done


def _index_batch() -> int:
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cur.fetchone()[0]:
            return 0
        cur.execute(_CHANGED, [BATCH])
        changed = cur.fetchall()
        words = {w for _, _, text in changed for w in words_of(text) if 1 < len(w) <= MAX_WORD and not w.isdigit()}
        cur.execute("select word from search_word where word = any(%s)", [list(words)])
        new = sorted(words - {word for (word,) in cur.fetchall()})
        rows = [{"word": word, "neighbours": neighbours_of(word)} for word in new]
        cur.execute(
            "insert into search_word (word, neighbours) "
            "select word, neighbours from jsonb_to_recordset(%s::jsonb) x(word text, neighbours text[])",
            [dump_json(rows)],
        )
        cur.execute(
            "insert into searched_product (product_id, version) select * from unnest(%s::bigint[], %s::bigint[]) "
            "on conflict (product_id) do update set version = excluded.version",
            [[key for key, _, _ in changed], [version for _, version, _ in changed]],
        )
    return len(changed)


def forget_words() -> None:
    """Empty the word table; the following runs fill it anew, without words that no product has any more."""
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        cur.execute("delete from searched_product")
        cur.execute("delete from search_word")
