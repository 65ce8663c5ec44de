"""What PostgreSQL itself enforces for Finance: see finance/sql/."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

from erp import migrations_ops as ops

SQL = Path(__file__).resolve().parent.parent / "sql"


def rules(name: str) -> migrations.RunSQL:
    """A file of triggers and their functions."""
    return migrations.RunSQL([(SQL / f"{name}.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop)


class Migration(migrations.Migration):
    """Change journal, stamps, append-only tables, balance, periods, immutable documents, credit caps."""

    dependencies = [("finance", "0001_initial")]
    operations = [
        ops.change_journal(),
        ops.stamp_xid("journal_line"),
        ops.append_only("journal_entry"),
        ops.append_only("journal_line"),
        ops.append_only("valued_move"),
        ops.append_only("payment_allocation"),
        rules("ledger_rules"),
        rules("document_rules"),
    ]
