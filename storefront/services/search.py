"""Full-text search in the catalogue, with a typo-tolerant second try that needs no extension of PostgreSQL."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass

from erp.db import cursor

# Letter by letter the expression of the index in migrations/0002_database_rules.py.
DOCUMENT_SQL = (
    "to_tsvector('simple', translate(lower(p.name || ' ' || p.sku || ' ' || p.category || ' ' || p.description), "
    "'áéíóöőúüű', 'aeiooouuu'))"
)
_FOLD = str.maketrans("áéíóöőúüű", "aeiooouuu")
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
MAX_WORDS = 8
VOCABULARY_S = 60.0  # how long the list of words is kept


@dataclass(frozen=True)
class SearchText:
    """A search as PostgreSQL gets it; ``corrected`` is what we looked for instead of what was typed."""

    tsquery: str
    corrected: str = ""


def words_of(text: str) -> list[str]:
    """Words of a search text in the index's spelling: lower case, without accents."""
    return _WORD.findall(text.lower().translate(_FOLD))[:MAX_WORDS]


def tsquery_of(words: list[str]) -> str:
    """All words, each as a beginning."""
    return " & ".join(f"'{word}':*" for word in words)


def understand(text: str) -> SearchText | None:
    """The query for a search text: as typed if it finds anything, else with its likely typos corrected."""
    words = words_of(text)
    if not words:
        return None
    typed = tsquery_of(words)
    if _finds(typed):
        return SearchText(typed)
    vocabulary = known_words.get()
    better = [word if _finds(tsquery_of([word])) else (closest(word, vocabulary) or word) for word in words]
    if better == words:
        return SearchText(typed)
    return SearchText(tsquery_of(better), " ".join(better))


def _finds(tsquery: str) -> bool:
    with cursor("storefront") as cur:
        cur.execute(
            f"select exists (select 1 from product_copy p where {DOCUMENT_SQL} @@ %s::tsquery "
            f"and p.is_sellable and p.retired_at is null)",
            [tsquery],
        )
        return bool(cur.fetchone()[0])


class KnownWords:
    """Every word of the catalogue with the number of products that have it, read at most once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._words: dict[str, int] = {}
        self._read_at = float("-inf")

    def get(self) -> dict[str, int]:
        """Word → number of products."""
        with self._lock:
            if time.monotonic() - self._read_at > VOCABULARY_S:
                self._words, self._read_at = self._read(), time.monotonic()
            return self._words

    def forget(self) -> None:
        """Read again at the next use."""
        self._read_at = float("-inf")

    def _read(self) -> dict[str, int]:
        name = "to_tsvector('simple', translate(lower(p.name || ' ' || p.sku || ' ' || p.category), %s, %s))"
        with cursor("storefront") as cur:
            cur.execute(
                f"select w, count(*) from product_copy p, unnest(tsvector_to_array({name})) w "
                f"where p.is_sellable and p.retired_at is null group by w",
                ["áéíóöőúüű", "aeiooouuu"],
            )
            return dict(cur.fetchall())


known_words = KnownWords()


def closest(word: str, vocabulary: dict[str, int]) -> str | None:
    """The known word within one or two typos, the more common one of equals; also as a beginning."""
    allowed = 1 if len(word) <= 4 else 2
    best: tuple[int, int, str] | None = None
    for known, products in vocabulary.items():
        if known.isdigit() or len(known) < len(word) - allowed:
            continue
        compared = known if len(known) <= len(word) + allowed else known[: len(word)]
        distance = typos_between(word, compared, allowed)
        if distance <= allowed and (best is None or (distance, -products, known) < best):
            best = (distance, -products, known)
    return best[2] if best else None


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
