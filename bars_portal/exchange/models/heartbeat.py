"""When each worker's room last worked: all processes see it, on whatever machine they are."""

from django.db import models


class Heartbeat(models.Model):
    """`seen_at` by the database's clock: the latest of all workers."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at:%H:%M:%S}"
