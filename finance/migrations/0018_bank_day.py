"""The bank's own day of payments that are posted on another, so that undone ones stand against their statement."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('finance', '0017_nav_archive'),
    ]

    operations = [
        migrations.AddField(
            model_name='payment',
            name='bank_on',
            field=models.DateField(blank=True, editable=False, help_text="Day of the bank's statement on which it stands, when it is posted on another day", null=True),
        ),
        migrations.RunSQL([(SQL / "bank_day_rules.sql").read_text(encoding="utf-8")], migrations.RunSQL.noop),
    ]
