"""Words of the catalogue for typo-tolerant search, and a full-text index that weighs a name above a description."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

_FOLD = "'áàâäãåāăąčćçďđéèêëěęíìîïĺľłńňñóòôöõőøřŕśšşșťţțúùûüűůýÿžźżß/-_.,', 'aaaaaaaaacccddeeeeeeiiiilllnnnooooooorrsssstttuuuuuuyyzzzs     '"


def _words(text: str) -> str:
    return f"to_tsvector('simple', translate(lower({text}), {_FOLD}))"


_NAMES = "name || ' ' || sku"
# The expression that storefront/services/search.py repeats, so that the index serves it.
SEARCH_INDEX = f"""
create index product_copy_words on product_copy using gin (
  (setweight({_words(_NAMES)}, 'A') || setweight({_words("category")}, 'B') || setweight({_words("description")}, 'D')))
"""


class Migration(migrations.Migration):
    """Two tables; the full-text index takes the place of the one without weights."""

    dependencies = [
        ("storefront", "0003_replayed_invoice"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchedProduct",
            fields=[
                ("product_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField()),
            ],
            options={
                "db_table": "searched_product",
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("word", models.TextField(primary_key=True, serialize=False)),
                ("neighbours", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
            ],
            options={
                "db_table": "search_word",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["neighbours"], name="search_word_neighbours")
                ],
            },
        ),
        migrations.RunSQL(SEARCH_INDEX, "drop index product_copy_words"),
        migrations.RunSQL("drop index product_copy_search", migrations.RunSQL.noop),
    ]
