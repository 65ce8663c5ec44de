"""What stood against closing a month when somebody asked."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import erp.fields
from erp import migrations_ops as ops


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0015_margin_cost"),
    ]

    operations = [
        migrations.CreateModel(
            name="PeriodCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "found",
                    erp.fields.ExactJSONField(
                        decoder=erp.fields.DecimalJSONDecoder,
                        encoder=erp.fields.ExactJSONEncoder,
                        help_text="Every obstacle in words; empty: none",
                    ),
                ),
                ("took_s", models.DecimalField(decimal_places=3, max_digits=10, verbose_name="seconds")),
                ("actor_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="checks", to="finance.fiscalperiod"
                    ),
                ),
            ],
            options={
                "db_table": "period_check",
                "ordering": ("-id",),
            },
        ),
        ops.append_only("period_check"),
    ]
