"""A capture that took more than is owed is followed by a refund of its own for the same invoice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storefront", "0008_hand_over_error"),
    ]

    operations = [
        migrations.AlterField(
            model_name="paymentbooking",
            name="invoice_id",
            field=models.BigIntegerField(),
        ),
        migrations.AddConstraint(
            model_name="paymentbooking",
            constraint=models.UniqueConstraint(fields=("invoice_id", "kind"), name="payment_booking_once"),
        ),
    ]
