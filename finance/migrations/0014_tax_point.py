"""The tax date of ledger lines, the law under a line's VAT code, and a cap on credited VAT."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0013_corrections"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoiceline",
            name="law_ref",
            field=models.CharField(
                editable=False,
                help_text="Of the VAT code as it was at issue",
                max_length=100,
                null=True,
                verbose_name="law",
            ),
        ),
        migrations.AddField(
            model_name="sealhead",
            name="dated_from",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="Seals after this one cover the lines' tax dates"
            ),
        ),
        migrations.AddField(
            model_name="journalline",
            name="tax_on",
            field=models.DateField(null=True, verbose_name="tax date"),
        ),
        migrations.AddField(
            model_name="ledgerbalance",
            name="tax_on",
            field=models.DateField(null=True, verbose_name="tax date"),
        ),
        migrations.RemoveConstraint(model_name="ledgerbalance", name="ledger_balance_once"),
        migrations.RunSQL([(SQL / "tax_point_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="journalline",
            name="tax_on",
            field=models.DateField(
                help_text="Its VAT period; the posting date unless said otherwise", verbose_name="tax date"
            ),
        ),
        migrations.AlterField(
            model_name="ledgerbalance",
            name="tax_on",
            field=models.DateField(verbose_name="tax date"),
        ),
        migrations.AddConstraint(
            model_name="ledgerbalance",
            constraint=models.UniqueConstraint(
                fields=("entry_on", "account", "vat_code", "tax_on"), name="ledger_balance_once"
            ),
        ),
        migrations.AddIndex(
            model_name="ledgerbalance",
            index=models.Index(fields=["tax_on"], name="ledger_balance_tax"),
        ),
        migrations.AddIndex(
            model_name="journalline",
            index=models.Index(
                condition=models.Q(("vat_code", ""), _negated=True),
                fields=["tax_on", "account"],
                name="journal_line_tax",
            ),
        ),
    ]
