"""Totals of the sealed ledger."""

from django.db import migrations, models

import erp.fields


class Migration(migrations.Migration):

    dependencies = [
        ('finance', '0008_advance_lines'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerBalance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry_on', models.DateField()),
                ('account', models.CharField(max_length=20)),
                ('vat_code', models.CharField(db_default='', default='', max_length=20, verbose_name='VAT code')),
                ('debit', erp.fields.AmountField(decimal_places=4, max_digits=19)),
                ('credit', erp.fields.AmountField(decimal_places=4, max_digits=19)),
            ],
            options={
                'db_table': 'ledger_balance',
                'constraints': [models.UniqueConstraint(fields=('entry_on', 'account', 'vat_code'), name='ledger_balance_once')],
            },
        ),
        # Entries that were sealed before there were totals.
        migrations.RunSQL(
            [
                "insert into ledger_balance (entry_on, account, vat_code, debit, credit) "
                "select l.entry_on, l.account, l.vat_code, sum(greatest(l.amount, 0)), sum(greatest(-l.amount, 0)) "
                "from journal_line l join entry_seal s on s.entry_id = l.entry_id group by 1, 2, 3"
            ],
            migrations.RunSQL.noop,
        ),
    ]
