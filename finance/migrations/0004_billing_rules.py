"""What PostgreSQL enforces for advances, bank entries and collective invoices; lines issued so far are completed."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

from erp import migrations_ops as ops

SQL = Path(__file__).resolve().parent.parent / "sql"

# Issued lines never change; here they only learn what was kept elsewhere before: class and amounts in base currency.
COMPLETE_LINES = """
alter table invoice_line disable trigger invoice_line_guard;
update invoice_line l set base_net = l.net, base_vat = l.vat
from invoice i where i.id = l.invoice_id and i.currency = i.base_currency;
update invoice_line l set product_class = p.product_class from product_copy p where p.id = l.product_id;
set constraints all immediate;  -- a table with checks pending is not altered
alter table invoice_line enable trigger invoice_line_guard;
"""


class Migration(migrations.Migration):
    """Advance caps, frozen bank entries, append-only statements and write-offs."""

    dependencies = [("finance", "0003_documents_and_bank")]
    operations = [
        migrations.RunSQL([COMPLETE_LINES], migrations.RunSQL.noop),
        ops.append_only("write_off"),
        ops.append_only("bank_statement"),
        migrations.RunSQL([(SQL / "billing_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop),
    ]
