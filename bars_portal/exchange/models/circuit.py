"""Whether a partner is spared because it does not answer: one row a service that ever failed."""

from django.db import models


class CircuitState(models.TextChoices):
    CLOSED = "closed", "Answering"
    OPEN = "open", "Not answering: spared"
    HALF_OPEN = "half-open", "Not answering: being tried"


class PartnerCircuit(models.Model):
    """Closed: all goes out. Open: nothing until `retry_at`. Half-open: one request tries, till `retry_at`."""

    service_id = models.CharField(max_length=20, primary_key=True)
    state = models.CharField(max_length=10, choices=CircuitState.choices, default=CircuitState.CLOSED)
    # Failures that no answer came between, and when the first of them was.
    failures = models.PositiveIntegerField(default=0)
    # How often it opened since there was an answer: at first, and with each probe that failed.
    probes = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    # When it last opened or closed; None: it never did.
    changed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["service_id"]
        verbose_name = "partner's circuit"

    def __str__(self) -> str:
        return f"{self.service_id} {self.state}"


class CircuitChange(models.Model):
    """A partner stopped answering (open), or answers again (closed); probes in between are none."""

    service_id = models.CharField(max_length=20)
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=CircuitState.choices)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["service_id", "at"], name="circuit_change_once")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.state} at {self.at:%Y-%m-%d %H:%M} UTC"
