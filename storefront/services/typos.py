"""Likely corrections of a word that the catalogue does not have, from Storefront's own word table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from erp.db import cursor

BEGINNING = 7  # letters of a word that its neighbours are made of
MAX_TYPOS = 2
CANDIDATES = 300  # words looked at per typed word
BETTER = 3  # corrections offered per typed word


@dataclass(frozen=True, order=True)
class Correction:
    """A word of the catalogue that may have been meant; the fewer typos the better."""

    typos: int
    word: str


def neighbours_of(word: str) -> list[str]:
    """What is left of the word's beginning when up to two letters are left out."""
    start = word[:BEGINNING]
    kept = {start}
    for left_out in range(1, min(MAX_TYPOS, len(start) - 1) + 1):
        kept |= {"".join(letters) for letters in combinations(start, len(start) - left_out)}
    return sorted(kept)


def corrections_of(word: str) -> list[Correction]:
    """Known words within one typo (two from five letters on), nearest first."""
    allowed = 1 if len(word) <= 4 else MAX_TYPOS
    with cursor("storefront") as cur:
        cur.execute(
            "select word from search_word where neighbours && %s::text[] "
            "order by abs(length(word) - %s), word limit %s",
            [neighbours_of(word), len(word), CANDIDATES],
        )
        known = [found for (found,) in cur.fetchall()]
    found = [Correction(_distance(word, other, allowed), other) for other in known if not other.isdigit()]
    return sorted(c for c in found if c.typos <= allowed)


def _distance(word: str, known: str, allowed: int) -> int:
    """Typos to the known word; a longer word counts by its beginning, one worse than the word itself."""
    whole = typos_between(word, known, allowed)
    if len(known) <= len(word) or len(word) < 4:
        return whole
    return min(whole, typos_between(word, known[: len(word)], allowed) + 1)


def known_words(words: list[str]) -> set[str]:
    """Which of the words the catalogue has as they are."""
    with cursor("storefront") as cur:
        cur.execute("select word from search_word where word = any(%s)", [words])
        return {word for (word,) in cur.fetchall()}


def split_of(word: str) -> list[str]:
    """The two known words that were written as one; empty when there are none."""
    halves = [(word[:n], word[n:]) for n in range(2, len(word) - 1)]
    known = known_words([half for pair in halves for half in pair])
    best = max((pair for pair in halves if known >= set(pair)), key=lambda pair: min(map(len, pair)), default=())
    return list(best)


def typos_between(a: str, b: str, limit: int) -> int:
    """Insertions, deletions, replacements and swapped neighbours between two words; limit + 1 when more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return last[-1]
