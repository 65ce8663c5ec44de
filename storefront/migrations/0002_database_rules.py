"""What PostgreSQL itself enforces for this module."""

from django.db import migrations

from erp import migrations_ops as ops


class Migration(migrations.Migration):
    """Change journal, stamps, append-only tables."""

    dependencies = [("storefront", "0001_initial")]
    operations = [ops.change_journal()]
