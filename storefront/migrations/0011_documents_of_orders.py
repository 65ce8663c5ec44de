"""Orders find the collective documents they stand on, and what is not paid of them, without reading history."""

from django.db import migrations

# services/order_invoices.py and services/payments.py ask with the same expression and condition.
COLLECTIVE = """
create index invoice_copy_collective_orders on invoice_copy
using gin (jsonb_path_query_array(lines, '$[*].order_number')) where order_id is null
"""
UNPAID = """
create index sales_order_copy_unpaid on sales_order_copy (id)
where payment in ('open', 'partly_paid', 'authorised')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("storefront", "0010_customer_of_payment"),
    ]

    operations = [
        migrations.RunSQL(COLLECTIVE, "drop index invoice_copy_collective_orders"),
        migrations.RunSQL(UNPAID, "drop index sales_order_copy_unpaid"),
    ]
