"""What the NAV wants to know of new means of transport, kept with the report."""

from django.db import migrations

import erp.fields


class Migration(migrations.Migration):
    """A column of the report."""

    dependencies = [("finance", "0019_nav_archive_frozen")]
    operations = [
        migrations.AddField(
            model_name="navsubmission",
            name="transport",
            field=erp.fields.ExactJSONField(
                decoder=erp.fields.DecimalJSONDecoder,
                encoder=erp.fields.ExactJSONEncoder,
                help_text="New means of transport by line, as described for the report",
                null=True,
            ),
        ),
    ]
