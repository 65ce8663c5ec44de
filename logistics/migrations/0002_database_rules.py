"""What PostgreSQL itself enforces for this module."""

from django.db import migrations

from erp import migrations_ops as ops


def sequence(name: str) -> migrations.RunSQL:
    """Numbers of a document kind; unique, not gapless: a rolled back document may leave one out."""
    return migrations.RunSQL(f"create sequence {name}", f"drop sequence {name}")


class Migration(migrations.Migration):
    """Change journal, stamps, append-only tables, document numbers."""

    dependencies = [("logistics", "0001_initial")]
    operations = [
        ops.change_journal(),
        ops.stamp_xid("stock"),
        ops.stamp_xid("sales_order"),
        ops.append_only("stock_move"),
        sequence("shipment_number"),
        sequence("goods_receipt_number"),
        sequence("return_number"),
        sequence("stock_document_number"),
    ]
