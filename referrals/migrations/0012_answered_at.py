from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations
from django.db.models import Min, OuterRef, Subquery

_ANSWERING = (
    *("accept", "start", "reject", "complete", "record-non-attendance"),
    *("hear-accepted", "hear-started", "hear-rejected", "hear-completed", "hear-non-attendance"),
)
_AT_ONCE = 1000


def note_first_answers(apps, schema_editor):
    """Some at a time, each in a transaction of its own, so that whoever decides a case waits for few.

    It begins anew where it was stopped: what is noted already is left alone.
    """
    steps = apps.get_model("referrals", "CaseStatusChange").objects.filter(event__in=_ANSWERING)
    for name, owner in (("Referral", "referral"), ("ValidationCase", "validation")):
        cases = apps.get_model("referrals", name).objects
        answered = steps.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
        first, last = answered.annotate(first=Min("at")).values("first"), None
        while True:
            rows = cases.order_by("pk") if last is None else cases.order_by("pk").filter(pk__gt=last)
            keys = list(rows.values_list("pk", flat=True)[:_AT_ONCE])
            if not keys:
                break
            last = keys[-1]
            cases.filter(pk__in=keys, answered_at=None).update(answered_at=Subquery(first))


class Migration(migrations.Migration):
    """When each case was first answered, beside the steps that say so; filled beside whoever works."""

    atomic = False
    dependencies = [("referrals", "0011_lists_from_indexes")]

    operations = [
        migrations.RunPython(note_first_answers, migrations.RunPython.noop),
        # Nothing asks for the first step any more.
        *(
            RemoveIndexConcurrently("casestatuschange", f"case_answered_{owner}")
            for owner in ("referral", "validation")
        ),
    ]
