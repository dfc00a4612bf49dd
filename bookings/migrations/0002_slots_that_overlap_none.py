from datetime import time
from typing import Any

from django.core.management.base import CommandError
from django.db import migrations, models

_MOST_NAMED = 20

# Writers of one diary wait for each other at its row, so that the second sees what the first one wrote. As
# nothing overlaps yet, one look is enough: at the last slot that begins before the new one ends.
_REFUSE = """
CREATE FUNCTION bookings_slot_overlaps_none() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM bookings_schedule WHERE id = NEW.schedule_id FOR NO KEY UPDATE;
    IF (
        SELECT "end" FROM bookings_slot
        WHERE schedule_id = NEW.schedule_id AND start < NEW."end" AND id <> NEW.id
        ORDER BY start DESC LIMIT 1
    ) > NEW.start THEN
        RAISE EXCEPTION 'Slots of one schedule must not overlap'
            USING ERRCODE = 'exclusion_violation', TABLE = 'bookings_slot', CONSTRAINT = 'slot_overlaps_none';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER slot_overlaps_none AFTER INSERT OR UPDATE OF schedule_id, start, "end" ON bookings_slot
    FOR EACH ROW EXECUTE FUNCTION bookings_slot_overlaps_none();
"""
_LET = """
DROP TRIGGER slot_overlaps_none ON bookings_slot;
DROP FUNCTION bookings_slot_overlaps_none();
"""
_OVERLAPPING = """
SELECT diary.name, diary.id, slot.start AT TIME ZONE 'Europe/London', slot."end" AT TIME ZONE 'Europe/London',
    slot.id, following
FROM (
    SELECT *, lead(start) OVER later AS next_start, lead(id) OVER later AS following
    FROM bookings_slot WINDOW later AS (PARTITION BY schedule_id ORDER BY start)
) AS slot JOIN bookings_schedule AS diary ON diary.id = slot.schedule_id
WHERE next_start < slot."end" ORDER BY diary.name, slot.start
"""


def refuse_what_overlaps_already(apps: Any, schema_editor: Any) -> None:
    """Nobody adds a slot meanwhile: the trigger's lock is held until the end of the migration."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_OVERLAPPING)
        found = cursor.fetchall()
    if found:
        named = [
            f"  {name} ({diary}): slot {slot}, {start:%Y-%m-%d %H:%M} to {end:%H:%M}, runs into slot {following}"
            for name, diary, start, end, slot, following in found[:_MOST_NAMED]
        ]
        more = [f"  and {len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
        raise CommandError(
            "\n".join(
                [
                    f"Slots overlap in {len(found)} places (London time), so nothing was changed.",
                    *named,
                    *more,
                    "docs/how-to/run-against-a-real-postgresql.md says how to part them. Then migrate again.",
                ]
            )
        )


class Migration(migrations.Migration):
    dependencies = [("bookings", "0001_initial")]

    operations = [
        migrations.RunSQL(_REFUSE, _LET),
        migrations.RunPython(refuse_what_overlaps_already, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="schedule", name="schedule_day_ends_after_start"),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(day_end__gt=models.F("day_start")) | models.Q(day_end=time(0)),
                name="schedule_day_has_an_end",
                violation_error_message=(
                    "The last slot must end after the first one starts: at 24:00 at the latest."
                ),
            ),
        ),
        migrations.AlterConstraint(
            model_name="slot",
            name="slot_ends_after_start",
            constraint=models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")),
                name="slot_ends_after_start",
                violation_error_message="A slot must end after it starts.",
            ),
        ),
    ]
