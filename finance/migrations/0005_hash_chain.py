"""Chains of hashes over posted entries and issued documents; the rate an entry was booked at."""

from pathlib import Path

import django.db.models.functions.datetime
from django.db import migrations, models

import erp.fields
from erp import migrations_ops as ops

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0004_billing_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="EntrySeal",
            fields=[
                (
                    "no",
                    models.BigIntegerField(
                        help_text="Position in the chain, without gaps", primary_key=True, serialize=False
                    ),
                ),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("header", models.BinaryField(help_text="SHA-256 of the entry without its lines")),
                ("lines", models.BinaryField(help_text="SHA-256 of every line, 32 bytes each, in their order")),
                ("hash", models.BinaryField(help_text="SHA-256 of the hash before, header and lines")),
                ("sealed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "entry_seal",
                "ordering": ("-no",),
            },
        ),
        migrations.CreateModel(
            name="SealHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last_no", models.BigIntegerField(db_default=0, default=0)),
                ("last_hash", models.BinaryField(db_default=b"", default=b"")),
                ("lo", erp.fields.Xid8Field(help_text="Entries of older transactions are sealed")),
                ("system_identifier", models.CharField(db_default="", default="", max_length=40)),
                (
                    "ran_at",
                    models.DateTimeField(help_text="When a run last began that sealed all there was", null=True),
                ),
            ],
            options={
                "db_table": "seal_head",
            },
        ),
        migrations.CreateModel(
            name="SealMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.CharField(max_length=40, unique=True)),
                ("no", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                ("lo", erp.fields.Xid8Field(null=True)),
                ("verified_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("full_at", models.DateTimeField(help_text="When it was last verified from its beginning", null=True)),
            ],
            options={
                "db_table": "seal_mark",
            },
        ),
        migrations.AddField(
            model_name="journalentry",
            name="exchange_rate",
            field=models.DecimalField(
                blank=True,
                decimal_places=8,
                help_text="Base currency for one unit of the document's",
                max_digits=18,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="rate_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="rate_source",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="numberseries",
            name="last_hash",
            field=models.BinaryField(help_text="Hash of the series' last document: see InvoiceSeal", null=True),
        ),
        migrations.CreateModel(
            name="InvoiceSeal",
            fields=[
                ("invoice_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=40)),
                ("series", models.CharField(max_length=10)),
                ("fiscal_year", models.IntegerField()),
                ("sequence_no", models.BigIntegerField()),
                ("header", models.BinaryField(help_text="SHA-256 of the frozen document without its lines")),
                ("lines", models.BinaryField(help_text="SHA-256 of every line, 32 bytes each, in their order")),
                ("hash", models.BinaryField(help_text="SHA-256 of the hash before it in the series, header and lines")),
            ],
            options={
                "db_table": "invoice_seal",
                "constraints": [
                    models.UniqueConstraint(fields=("series", "fiscal_year", "sequence_no"), name="invoice_seal_once")
                ],
            },
        ),
        ops.append_only("entry_seal"),
        ops.append_only("invoice_seal"),
        migrations.RunSQL([(SQL / "seal_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop),
    ]
