"""Bank entries that are posted to other accounts, and value dates of what is booked late."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import erp.fields

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('finance', '0011_one_credit_per_invoice'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='bankentry',
            name='bank_entry_booked_with_payment',
        ),
        migrations.AddField(
            model_name='bankentry',
            name='journal_entry',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bank_entry', to='finance.journalentry'),
        ),
        migrations.AddField(
            model_name='bankentry',
            name='value_on',
            field=models.DateField(blank=True, help_text='When empty: the day of booking', null=True, verbose_name='value date'),
        ),
        migrations.AddField(
            model_name='payment',
            name='value_on',
            field=models.DateField(blank=True, editable=False, help_text='Of the bank, when it is booked on a later day', null=True, verbose_name='value date'),
        ),
        migrations.AlterField(
            model_name='bankmapping',
            name='columns',
            field=erp.fields.ExactJSONField(decoder=erp.fields.DecimalJSONDecoder, default=dict, encoder=erp.fields.ExactJSONEncoder, help_text='Field → heading: booked_on, value_on, amount, currency, entry_ref, reference, payer_name, payer_account'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='received_on',
            field=models.DateField(help_text='Posting date'),
        ),
        migrations.AddConstraint(
            model_name='bankentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('journal_entry', None), ('payment__isnull', False), ('state', 'booked')), models.Q(('journal_entry__isnull', False), ('payment', None), ('state', 'booked')), models.Q(models.Q(('state', 'booked'), _negated=True), ('journal_entry', None), ('payment', None)), _connector='OR'), name='bank_entry_booked_once'),
        ),
        migrations.RunSQL(
            [(SQL / "bank_posting_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop
        ),
    ]
