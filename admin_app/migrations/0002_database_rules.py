"""What PostgreSQL itself enforces for this module."""

from django.db import migrations

from erp import migrations_ops as ops


class Migration(migrations.Migration):
    """Change journal; the sequence of customer numbers."""

    dependencies = [("admin_app", "0001_initial")]
    operations = [
        ops.change_journal(),
        migrations.RunSQL("create sequence customer_number", "drop sequence customer_number"),
    ]
