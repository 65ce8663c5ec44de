"""Full-text search in the catalogue, with a typo-tolerant second try that needs no extension of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from erp.db import cursor
from storefront.services.typos import BETTER, Correction, corrections_of, split_of

FOLDED_FROM = "áàâäãåāăąčćçďđéèêëěęíìîïĺľłńňñóòôöõőøřŕśšşșťţțúùûüűůýÿžźżß/-_.,"
FOLDED_TO = "aaaaaaaaacccddeeeeeeiiiilllnnnooooooorrsssstttuuuuuuyyzzzs     "
assert len(FOLDED_FROM) == len(FOLDED_TO)


def _words_sql(text: str) -> str:
    return f"to_tsvector('simple', translate(lower({text}), '{FOLDED_FROM}', '{FOLDED_TO}'))"


# As the index in migrations/0004_search_words.py has it, so that the index serves it.
_NAMES = "p.name || ' ' || p.sku"
DOCUMENT_SQL = (
    f"(setweight({_words_sql(_NAMES)}, 'A') || setweight({_words_sql('p.category')}, 'B') || "
    f"setweight({_words_sql('p.description')}, 'D'))"
)
_FOLD = str.maketrans(FOLDED_FROM, FOLDED_TO)
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
MAX_WORDS = 8
MAX_COMBINATIONS = 15


@dataclass(frozen=True)
class SearchText:
    """A search as PostgreSQL gets it; ``corrected`` is what we looked for instead of what was typed."""

    tsquery: str
    corrected: str = ""


def words_of(text: str) -> list[str]:
    """Words of a text in the index's spelling: lower case, without accents."""
    return _WORD.findall(text.lower().translate(_FOLD))


def tsquery_of(words: Iterable[str], joined_by: str = " & ") -> str:
    """All words (or any of them, with ``|``), each as a beginning."""
    return joined_by.join(f"'{word}':*" if len(word) > 1 else f"'{word}'" for word in words)


def understand(text: str) -> SearchText | None:
    """The query for a search text: as typed if it finds anything, else with its likely typos corrected.

    When nothing has all the words, what has most of them is found.
    """
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return None
    typed = tsquery_of(words)
    if _finds(typed):
        return SearchText(typed)
    choices = [_choices(word) for word in words]
    for better in _by_typos(choices):
        if better != words and _finds(tsquery_of(better)):
            return SearchText(tsquery_of(better), " ".join(better))
    for better in _joined(words):
        if _finds(tsquery_of(better)):
            return SearchText(tsquery_of(better), " ".join(better))
    likely = [word for choice in choices for word in choice[0][1]]
    return SearchText(tsquery_of(likely, " | "), " ".join(likely) if likely != words else "")


def _finds(tsquery: str) -> bool:
    with cursor("storefront") as cur:
        cur.execute(
            f"select exists (select 1 from product_copy p where {DOCUMENT_SQL} @@ %s::tsquery "
            f"and p.is_sellable and p.retired_at is null)",
            [tsquery],
        )
        return bool(cur.fetchone()[0])


_Choice = tuple[int, list[str]]  # typos, and the words that were meant


def _choices(word: str) -> list[_Choice]:
    """What may have been meant by one typed word, best first: never empty."""
    as_typed: list[_Choice] = [(0, [word])] if _finds(tsquery_of([word])) else []
    found = [c for c in corrections_of(word) if c.word != word]
    better: list[_Choice] = [(c.typos, [c.word]) for c in _most_used(found)[:BETTER]]
    halves = split_of(word) if not as_typed else []
    split: list[_Choice] = [(1, halves)] if halves else []
    ordered = sorted([*as_typed, *split, *better], key=lambda choice: choice[0])
    return ordered or [(0, [word])]


def _most_used(found: Sequence[Correction]) -> list[Correction]:
    """Nearest first; of equally near ones those that more products have. What finds nothing any more is left out."""
    if not found:
        return []
    nearest = found[:20]
    with cursor("storefront") as cur:
        cur.execute(
            f"select w, (select count(*) from (select 1 from product_copy p where {DOCUMENT_SQL} @@ q::tsquery "
            f"and p.is_sellable and p.retired_at is null limit 100) x) from unnest(%s::text[], %s::text[]) t(w, q)",
            [[c.word for c in nearest], [tsquery_of([c.word]) for c in nearest]],
        )
        products = dict(cur.fetchall())
    used = [c for c in nearest if products[c.word]]
    return sorted(used, key=lambda c: (c.typos, -products[c.word], c.word))


def _by_typos(choices: Sequence[Sequence[_Choice]]) -> Iterable[list[str]]:
    """Combinations of one choice per word, those with the fewest typos first."""
    combined = sorted(islice(product(*choices), 500), key=lambda chosen: sum(typos for typos, _ in chosen))
    for chosen in combined[:MAX_COMBINATIONS]:
        yield [word for _, words in chosen for word in words]


def _joined(words: Sequence[str]) -> Iterable[list[str]]:
    """The words with two neighbours written as one."""
    for n in range(len(words) - 1):
        yield [*words[:n], words[n] + words[n + 1], *words[n + 2 :]]
