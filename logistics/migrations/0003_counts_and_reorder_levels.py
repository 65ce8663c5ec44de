"""Count sheets, parcels, and reorder levels in a table of their own: a level is no business of stock's readers."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("logistics", "0002_database_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="shipment",
            name="parcels",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="shipment",
            name="weight_g",
            field=models.PositiveIntegerField(blank=True, help_text="Weighed when it was packed", null=True),
        ),
        migrations.CreateModel(
            name="StockCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("posted", "Posted"), ("cancelled", "Cancelled")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("scope", models.CharField(help_text="What is counted, in words", max_length=120)),
                ("counted_on", models.DateField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor_name", models.CharField(blank=True, default="", max_length=150)),
                ("posted_at", models.DateTimeField(blank=True, null=True)),
                ("posted_by", models.CharField(blank=True, default="", max_length=150)),
                (
                    "warehouse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="counts", to="logistics.warehouse"
                    ),
                ),
            ],
            options={
                "db_table": "stock_count",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="ReorderLevel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_id", models.BigIntegerField()),
                (
                    "level",
                    models.PositiveIntegerField(
                        help_text="The low-stock list shows the product when less than this is free"
                    ),
                ),
                ("target", models.PositiveIntegerField(help_text="Buy as many as make this many free")),
                (
                    "warehouse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reorder_levels",
                        to="logistics.warehouse",
                    ),
                ),
            ],
            options={
                "db_table": "reorder_level",
                "ordering": ("product_id", "warehouse_id"),
                "constraints": [
                    models.UniqueConstraint(fields=("product_id", "warehouse"), name="reorder_level_once"),
                    models.CheckConstraint(
                        condition=models.Q(("target__gte", models.F("level"))), name="reorder_level_target"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockCountLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_id", models.BigIntegerField()),
                ("expected", models.IntegerField()),
                ("last_move_id", models.BigIntegerField(null=True)),
                ("counted", models.IntegerField(null=True)),
                ("counted_by", models.CharField(db_default="", default="", max_length=150)),
                (
                    "stock_count",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="logistics.stockcount"
                    ),
                ),
            ],
            options={
                "db_table": "stock_count_line",
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("stock_count", "product_id"), name="stock_count_line_once"),
                    models.CheckConstraint(
                        condition=models.Q(("counted__isnull", True), ("counted__gte", 0), _connector="OR"),
                        name="stock_count_counted",
                    ),
                ],
            },
        ),
        migrations.RunSQL("create sequence stock_count_number", "drop sequence stock_count_number"),
        migrations.RunSQL(
            """insert into reorder_level (warehouse_id, product_id, level, target)
               select warehouse_id, product_id, reorder_level, reorder_level from stock where reorder_level > 0;
               set constraints all immediate""",
            """update stock s set reorder_level = r.level from reorder_level r
               where r.warehouse_id = s.warehouse_id and r.product_id = s.product_id""",
        ),
        migrations.RemoveField(
            model_name="stock",
            name="reorder_level",
        ),
    ]
