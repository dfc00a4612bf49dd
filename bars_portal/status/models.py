"""Since when each check has said what it says: whether it is well is looked at anew each time."""

from django.db import models


class Level(models.TextChoices):
    WELL = "well", "Working"
    WARNING = "warning", "Look at it soon"
    WRONG = "wrong", "Not working"


class Condition(models.Model):
    """Written by the worker, every half a minute, when it has changed."""

    check_name = models.CharField(max_length=40, primary_key=True)
    level = models.CharField(max_length=8, choices=Level.choices)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.check_name}: {self.level}"
