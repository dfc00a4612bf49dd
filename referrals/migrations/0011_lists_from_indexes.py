from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_OPEN = ["accepted", "in-progress", "received", "requested", "revoke-unknown", "revoking", "sent", "unknown"]
_OVER = ["completed", "did-not-attend", "entered-in-error", "refused", "rejected", "revoked"]
_LISTED_BY = (
    *("status", "priority", "created_at", "id"),
    *("service", "assigned_to", "safeguarding", "scene_unsafe"),
)
_REPORTED_BY = ("status", "breach_at", "answered_at", "service", "sender_ods_code", "reference")


class Migration(migrations.Migration):
    """Lists of cases and their counts, without a look at the cases; built beside whoever works on them."""

    atomic = False
    dependencies = [("referrals", "0010_reason_code")]

    operations = [
        # Null at once, without a look at any row; the next migration fills it, a few rows at a time.
        *(
            migrations.AddField(model, "answered_at", models.DateTimeField(null=True))
            for model in ("referral", "validationcase")
        ),
        *(
            AddIndexConcurrently(
                model,
                models.Index(
                    fields=["organisation", "direction", "breach_at"],
                    include=_LISTED_BY,
                    condition=models.Q(status__in=statuses),
                    name=f"{model}_{name}",
                ),
            )
            for model in ("referral", "validationcase")
            for name, statuses in (("open", _OPEN), ("over", _OVER))
        ),
        *(
            AddIndexConcurrently(
                model,
                models.Index(
                    fields=["organisation", "direction"],
                    condition=models.Q(status__in=["revoke-unknown", "unknown"]),
                    name=f"{model}_unclear",
                ),
            )
            for model in ("referral", "validationcase")
        ),
        *(
            AddIndexConcurrently(
                model,
                models.Index(
                    fields=["organisation", "direction", "-created_at", "-id"],
                    include=_REPORTED_BY,
                    name=f"{model}_by_creation",
                ),
            )
            for model in ("referral", "validationcase")
        ),
        *(
            RemoveIndexConcurrently(model, f"{model}_{name}")
            for model in ("referral", "validationcase")
            for name in ("worklist", "newest")
        ),
    ]
