"""Correction invoices: what a correction charges is a line of its own that can be credited."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """Caps that know of corrections."""

    dependencies = [("finance", "0012_bank_postings")]
    operations = [
        migrations.AlterField(
            model_name="invoice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("invoice", "Invoice"),
                    ("advance", "Advance invoice"),
                    ("final", "Final invoice"),
                    ("credit_note", "Credit note"),
                    ("cancellation", "Cancellation invoice"),
                    ("credit_without_original", "Credit without original"),
                    ("correction", "Correction invoice"),
                ],
                default="invoice",
                max_length=30,
            ),
        ),
        migrations.RunSQL([(SQL / "correction_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop),
    ]
