"""Erasing a person overwrites what the change journal said about them."""

from django.db import migrations

from erp import migrations_ops as ops


class Migration(migrations.Migration):
    """The function through which personal data leaves the journal."""

    dependencies = [("admin_app", "0002_database_rules")]
    operations = [ops.journal_redaction()]
