"""Changes of periods, closed years, recurring entries, attachments."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import erp.fields
from erp import migrations_ops as ops


class Migration(migrations.Migration):

    dependencies = [
        ('finance', '0009_ledger_balance'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClosedYear',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.IntegerField(unique=True)),
                ('result', erp.fields.AmountField(decimal_places=4, help_text='Profit positive, loss negative, in base currency', max_digits=19)),
                ('actor_name', models.CharField(max_length=150)),
                ('closed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('closing_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='finance.journalentry')),
                ('opening_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='finance.journalentry')),
                ('result_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='finance.journalentry')),
            ],
            options={
                'db_table': 'closed_year',
                'ordering': ('-year',),
            },
        ),
        migrations.CreateModel(
            name='PeriodChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('soft_locked', 'Soft lock: closing entries only'), ('locked', 'Hard lock: nothing, for good')], max_length=12)),
                ('reason', models.CharField(blank=True, db_default='', default='', max_length=300)),
                ('actor_name', models.CharField(max_length=150)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='finance.fiscalperiod')),
            ],
            options={
                'db_table': 'period_change',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='EntryAttachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=150)),
                ('content_type', models.CharField(max_length=100)),
                ('size', models.IntegerField(help_text='Bytes')),
                ('sha256', models.CharField(max_length=64)),
                ('actor_name', models.CharField(max_length=150)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='finance.journalentry')),
            ],
            options={
                'db_table': 'entry_attachment',
                'ordering': ('id',),
                'constraints': [models.UniqueConstraint(fields=('entry', 'sha256'), name='entry_attachment_once')],
            },
        ),
        migrations.CreateModel(
            name='RecurringEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('text', models.CharField(max_length=200)),
                ('currency', models.CharField(blank=True, db_default='', default='', max_length=3)),
                ('lines', erp.fields.ExactJSONField(decoder=erp.fields.DecimalJSONDecoder, encoder=erp.fields.ExactJSONEncoder, help_text='account, debit or credit, text of every line')),
                ('every', models.PositiveSmallIntegerField(choices=[(1, 'Every month'), (3, 'Every quarter'), (12, 'Every year')], default=1)),
                ('day', models.PositiveSmallIntegerField(default=31, help_text='Day of the month; 31 is the last one')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(blank=True, null=True)),
                ('is_active', models.BooleanField(db_default=True, default=True)),
                ('last_error', models.TextField(blank=True, db_default='', default='', editable=False)),
                ('actor_id', models.BigIntegerField(editable=False, null=True)),
                ('actor_name', models.CharField(editable=False, max_length=150)),
                ('journal', models.ForeignKey(db_column='journal', default='GEN', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='finance.journal', to_field='code')),
            ],
            options={
                'verbose_name_plural': 'recurring entries',
                'db_table': 'recurring_entry',
                'ordering': ('name', 'id'),
                'constraints': [models.CheckConstraint(condition=models.Q(('day__gte', 1), ('day__lte', 31)), name='recurring_entry_day'), models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='recurring_entry_ends_after_start')],
            },
        ),
        ops.append_only("period_change"),
        ops.append_only("closed_year"),
        ops.append_only("entry_attachment"),
    ]
