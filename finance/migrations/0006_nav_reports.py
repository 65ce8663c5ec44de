"""Reports to the tax office: their tables, and the trigger that queues every issued document."""

import datetime
from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import erp.fields

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0005_hash_chain"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="is_simplified",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Gross prices with the VAT inside, e.g. paid at once in cash or by card",
                verbose_name="simplified invoice",
            ),
        ),
        migrations.CreateModel(
            name="NavChannel",
            fields=[
                ("endpoint", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("paused_until", models.DateTimeField(null=True)),
                ("reason", models.TextField(default="")),
                ("failures", models.IntegerField(default=0)),
                ("needs_a_person", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "nav_channel",
            },
        ),
        migrations.CreateModel(
            name="NavCredential",
            fields=[
                ("endpoint", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("sealed", models.BinaryField()),
                ("stored_by", models.CharField(max_length=150)),
                ("stored_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "nav_credential",
            },
        ),
        migrations.CreateModel(
            name="NavBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_annulment", models.BooleanField(default=False)),
                ("endpoint", models.CharField(max_length=10)),
                ("request_id", models.CharField(max_length=30, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("prepared", "About to be sent"),
                            ("unknown", "Sent, no clear answer"),
                            ("taken_in", "Taken in"),
                            ("finished", "Finished"),
                            ("not_taken_in", "Not taken in"),
                            ("refused", "Refused as a whole"),
                        ],
                        default="prepared",
                        max_length=12,
                    ),
                ),
                ("item_count", models.IntegerField()),
                ("sent_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("http_status", models.IntegerField(null=True)),
                ("transaction_id", models.CharField(max_length=30, null=True, unique=True)),
                ("request", models.BinaryField(default=b"", help_text="As sent, without its secrets")),
                ("response", models.BinaryField(default=b"")),
                ("error", models.TextField(default="")),
                ("next_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("polls", models.IntegerField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "request to the NAV",
                "verbose_name_plural": "requests to the NAV",
                "db_table": "nav_batch",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("prepared", "unknown", "taken_in"))),
                        fields=["next_at"],
                        name="nav_batch_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NavItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index_no", models.IntegerField()),
                ("xml", models.BinaryField()),
                ("hash", models.CharField(help_text="SHA3-512 of the XML", max_length=128)),
                ("totals", erp.fields.ExactJSONField(help_text="Per VAT treatment, as the XML says")),
                (
                    "status",
                    models.CharField(db_default="", default="", help_text="The NAV's word for it", max_length=12),
                ),
                (
                    "messages",
                    erp.fields.ExactJSONField(
                        db_default=models.Value([], models.JSONField()),
                        decoder=erp.fields.DecimalJSONDecoder,
                        default=list,
                        encoder=erp.fields.ExactJSONEncoder,
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="finance.navbatch",
                    ),
                ),
            ],
            options={
                "db_table": "nav_item",
                "ordering": ("batch_id", "index_no"),
            },
        ),
        migrations.CreateModel(
            name="NavSubmission",
            fields=[
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="submission",
                        serialize=False,
                        to="finance.invoice",
                    ),
                ),
                ("number", models.CharField(max_length=50)),
                ("issued_on", models.DateField()),
                (
                    "operation",
                    models.CharField(
                        choices=[("CREATE", "New"), ("MODIFY", "Changes an invoice"), ("STORNO", "Ends an invoice")],
                        max_length=6,
                    ),
                ),
                ("modification_index", models.IntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be sent"),
                            ("sending", "Sent, no answer yet"),
                            ("sent", "Taken in, being processed"),
                            ("done", "Reported"),
                            ("refused", "Refused by the NAV"),
                            ("blocked", "Cannot be reported as it is"),
                            ("annulled", "Report annulled"),
                        ],
                        db_default="waiting",
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        )
                    ),
                ),
                ("next_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                (
                    "alone",
                    models.BooleanField(
                        db_default=False, default=False, help_text="A batch with it was refused as a whole"
                    ),
                ),
                ("claim", models.UUIDField(help_text="The worker that is preparing it", null=True)),
                ("transaction_id", models.CharField(db_default="", default="", max_length=30)),
                (
                    "messages",
                    erp.fields.ExactJSONField(
                        db_default=models.Value([], models.JSONField()),
                        decoder=erp.fields.DecimalJSONDecoder,
                        default=list,
                        encoder=erp.fields.ExactJSONEncoder,
                    ),
                ),
                ("has_warnings", models.BooleanField(db_default=False, default=False)),
                (
                    "reported",
                    erp.fields.ExactJSONField(
                        db_default=models.Value([], models.JSONField()),
                        decoder=erp.fields.DecimalJSONDecoder,
                        default=list,
                        encoder=erp.fields.ExactJSONEncoder,
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "buyer",
                    erp.fields.ExactJSONField(
                        decoder=erp.fields.DecimalJSONDecoder,
                        encoder=erp.fields.ExactJSONEncoder,
                        help_text="The buyer's data as reported, where those on the document are wrong",
                        null=True,
                    ),
                ),
                ("repaired_by", models.CharField(db_default="", default="", max_length=150)),
                (
                    "base",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chain",
                        to="finance.invoice",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="finance.navitem",
                    ),
                ),
            ],
            options={
                "verbose_name": "report to the NAV",
                "verbose_name_plural": "reports to the NAV",
                "db_table": "nav_submission",
                "ordering": ("-invoice_id",),
            },
        ),
        migrations.AddField(
            model_name="navitem",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="items", to="finance.navsubmission"
            ),
        ),
        migrations.CreateModel(
            name="NavAnnulment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40)),
                ("reason", models.CharField(max_length=1024)),
                ("requested_by", models.CharField(max_length=150)),
                ("requested_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be sent"),
                            ("sending", "Sent, no answer yet"),
                            ("sent", "Taken in, being processed"),
                            ("pending", "Waits for approval on the NAV's page"),
                            ("done", "Approved: the report is annulled"),
                            ("rejected", "Rejected: the report stands"),
                            ("refused", "Refused by the NAV"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("next_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("xml", models.BinaryField()),
                (
                    "messages",
                    erp.fields.ExactJSONField(
                        db_default=models.Value([], models.JSONField()),
                        decoder=erp.fields.DecimalJSONDecoder,
                        default=list,
                        encoder=erp.fields.ExactJSONEncoder,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="annulments",
                        to="finance.navbatch",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="annulments",
                        to="finance.navsubmission",
                    ),
                ),
            ],
            options={
                "db_table": "nav_annulment",
                "ordering": ("-id",),
            },
        ),
        migrations.AddIndex(
            model_name="navsubmission",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["invoice"], name="nav_submission_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="navsubmission",
            index=models.Index(
                condition=models.Q(("state__in", ("done", "annulled")), _negated=True),
                fields=["due_at"],
                name="nav_submission_open",
            ),
        ),
        migrations.AddIndex(
            model_name="navsubmission",
            index=models.Index(fields=["issued_on"], name="nav_submission_day"),
        ),
        migrations.AddConstraint(
            model_name="navsubmission",
            constraint=models.UniqueConstraint(fields=("base", "modification_index"), name="nav_submission_chain_once"),
        ),
        migrations.AddConstraint(
            model_name="navsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("base", None), ("modification_index", None), ("operation", "CREATE")),
                    models.Q(
                        ("base__isnull", False), ("modification_index__gte", 1), ("operation__in", ("MODIFY", "STORNO"))
                    ),
                    _connector="OR",
                ),
                name="nav_submission_chain_of_changes",
            ),
        ),
        migrations.AddConstraint(
            model_name="navsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "done"), _negated=True), ("done_at__isnull", False), _connector="OR"
                ),
                name="nav_submission_done_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="navitem",
            constraint=models.UniqueConstraint(fields=("batch", "index_no"), name="nav_item_once"),
        ),
        migrations.AddConstraint(
            model_name="navannulment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("waiting", "sending", "sent", "pending"))),
                fields=("submission",),
                name="nav_annulment_one_open",
            ),
        ),
        migrations.RunSQL([(SQL / "reporting_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop),
    ]
