"""What was reported is frozen once it is written: documents with their hashes and totals, requests and answers."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """Triggers that refuse changes of the archive."""

    dependencies = [("finance", "0018_bank_day")]
    operations = [
        migrations.RunSQL(
            [(SQL / "archive_rules.sql").read_text(encoding="utf-8")],
            [
                "drop trigger nav_item_frozen on nav_item; drop trigger nav_batch_frozen on nav_batch; "
                "drop trigger nav_batch_answer_frozen on nav_batch; drop trigger nav_annulment_frozen on nav_annulment; "
                "drop trigger nav_annulment_kept on nav_annulment; "
                "drop trigger nav_annulment_no_truncate on nav_annulment"
            ],
        ),
    ]
