"""What PostgreSQL itself enforces for this module."""

from django.db import migrations

from erp import migrations_ops as ops

# The expression that storefront/services/search.py repeats letter by letter, so that the index serves it.
SEARCH_INDEX = """
create index product_copy_search on product_copy using gin (
  to_tsvector('simple', translate(lower(name || ' ' || sku || ' ' || category || ' ' || description),
                                  'áéíóöőúüű', 'aeiooouuu')))
"""


class Migration(migrations.Migration):
    """Change journal, stamps, order numbers, the catalogue's search index."""

    dependencies = [("storefront", "0001_initial")]
    operations = [
        ops.change_journal(),
        ops.stamp_xid("sales_order"),
        migrations.RunSQL(
            "create sequence sales_order_number",
            "drop sequence sales_order_number",
        ),
        migrations.RunSQL(SEARCH_INDEX, "drop index product_copy_search"),
    ]
