"""Archived requests hold compressed documents: trying to compress them once more only takes time."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Documents are kept GZIP-ped, as they were sent."""

    dependencies = [("finance", "0016_period_checks")]
    operations = [
        migrations.AlterField(
            model_name="navitem",
            name="xml",
            field=models.BinaryField(help_text="GZIP-ped; plain in rows from before that was done"),
        ),
        migrations.RunSQL(
            ["alter table nav_batch alter column request set storage external"], migrations.RunSQL.noop
        ),
    ]
