"""Language, ethnic category and a contact's gender: columns with defaults."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0004_where_a_number_was_traced'),
    ]

    operations = [
        migrations.AddField(
            model_name='patient',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='patient',
            name='ethnic_category',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='contact',
            name='gender',
            field=models.CharField(
                blank=True,
                choices=[('male', 'Male'), ('female', 'Female'), ('other', 'Other'), ('unknown', 'Unknown')],
                db_default='',
                default='',
                max_length=10,
            ),
        ),
    ]
