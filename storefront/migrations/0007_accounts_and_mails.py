"""Counts of attempts, documents told of by e-mail, and indexes to find new ones."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('storefront', '0006_payments'),
    ]

    operations = [
        migrations.CreateModel(
            name='AttemptCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('who', models.CharField(max_length=64)),
                ('attempts', models.IntegerField(default=0)),
                ('began_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'attempt_count',
            },
        ),
        migrations.CreateModel(
            name='MailedDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('shipment', 'Shipment'), ('invoice', 'Invoice')], max_length=10)),
                ('number', models.CharField(max_length=40)),
                ('told_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'mailed_document',
            },
        ),
        migrations.AddIndex(
            model_name='invoicecopy',
            index=models.Index(fields=['issued_on'], name='shop_invoice_copy_issued'),
        ),
        migrations.AddIndex(
            model_name='salesordercopy',
            index=models.Index(fields=['tick'], name='shop_order_copy_tick'),
        ),
        migrations.AddConstraint(
            model_name='attemptcount',
            constraint=models.UniqueConstraint(fields=('kind', 'who'), name='attempt_count_once'),
        ),
        migrations.AddConstraint(
            model_name='maileddocument',
            constraint=models.UniqueConstraint(fields=('kind', 'number'), name='mailed_document_once'),
        ),
    ]
