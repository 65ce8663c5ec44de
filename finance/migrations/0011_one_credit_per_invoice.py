"""A return that touches several invoices is credited by one document for each."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("finance", "0010_books_calendar"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_return_once",
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("return_id__isnull", False)),
                fields=("return_id", "kind", "original"),
                name="invoice_return_once",
                nulls_distinct=False,
            ),
        ),
    ]
