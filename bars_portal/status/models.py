"""Since when each check has said what it says, and of what staff were told: all else is looked at anew."""

from django.db import models


class Level(models.TextChoices):
    WELL = "well", "Working"
    WARNING = "warning", "Look at it soon"
    WRONG = "wrong", "Not working"


class ExpiryAlarm(models.Model):
    """That staff were told that something ends within so many days: once for each of those."""

    # SHA-256 of the certificate or list, in hex.
    fingerprint = models.CharField(max_length=64)
    days = models.PositiveSmallIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fingerprint", "days"], name="expiry_alarm_once")]

    def __str__(self) -> str:
        return f"{self.fingerprint[:12]} within {self.days} days"


class Condition(models.Model):
    """Written by the worker, every half a minute, when it has changed."""

    check_name = models.CharField(max_length=40, primary_key=True)
    level = models.CharField(max_length=8, choices=Level.choices)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.check_name}: {self.level}"
