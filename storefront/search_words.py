"""The search's own tables: which words the catalogue has, and which products' words are in.

They are derived from the product copy by a periodic task and can be emptied at any time: the next run fills them.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from erp.models import InternalModel


class SearchWord(InternalModel):
    """A word of the catalogue with its *neighbours*: what is left of its beginning with up to two letters left out.

    Two words within two typos of each other have a neighbour in common, so one index look-up finds all candidates.
    """

    word = models.TextField(primary_key=True)
    neighbours = ArrayField(models.TextField())

    class Meta:
        db_table = "search_word"
        indexes = (GinIndex(fields=["neighbours"], name="search_word_neighbours"),)

    def __str__(self) -> str:
        return self.word


class SearchedProduct(InternalModel):
    """The version of a product whose words are in."""

    product_id = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField()

    class Meta:
        db_table = "searched_product"

    def __str__(self) -> str:
        return f"{self.product_id} version {self.version}"
