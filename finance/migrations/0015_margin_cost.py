"""Costs of lines of the margin scheme that no goods move delivered."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import erp.fields
from erp import migrations_ops as ops


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0014_tax_point"),
    ]

    operations = [
        migrations.CreateModel(
            name="MarginCost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cost",
                    erp.fields.AmountField(decimal_places=4, help_text="Base currency, VAT included", max_digits=19),
                ),
                ("note", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("actor_name", models.CharField(max_length=150)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="margin_costs",
                        to="finance.invoiceline",
                    ),
                ),
            ],
            options={
                "db_table": "margin_cost",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("cost__gte", 0)), name="margin_cost_not_negative")
                ],
            },
        ),
        ops.append_only("margin_cost"),
    ]
