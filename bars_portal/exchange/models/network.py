"""As whom each organisation is known on the BaRS network, and what is known of those who are met there.

And when each of the worker's rooms last worked: all processes see it, on whatever machine they are.
"""

from typing import ClassVar

from django.db import models


class OrganisationConnection(models.Model):
    """An organisation's own application in one environment: ids and where its files lie, not what they hold.

    A connection that was revoked stays, so that nothing else is used in its place.
    """

    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=20)
    app_id = models.CharField("App ID", max_length=100, blank=True)
    key_id = models.CharField("key id (KID)", max_length=100)
    private_key_file = models.CharField(max_length=500)
    api_key_file = models.CharField(max_length=500)
    # Where replies to its messages go: MessageHeader.source.endpoint.
    service_id = models.CharField("reply address (service id)", max_length=20)
    # NHSD-Requesting-Software.
    software_instance = models.CharField(max_length=100)
    connected_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "environment"], name="connection_one_each")
        ]

    def __str__(self) -> str:
        return f"{self.key_id} in {self.environment}"


class AccessToken(models.Model):
    """One for each key of each application; a renewal is claimed by a short lease."""

    environment = models.CharField(max_length=20)
    key_id = models.CharField(max_length=100)
    # Which application: two organisations of one supplier may have keys of the same name. "": the one that
    # the environment variables describe.
    holder = models.CharField(max_length=80, default="", db_default="")
    ciphertext = models.BinaryField(null=True)
    expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_holder = models.UUIDField(null=True)
    generation = models.PositiveIntegerField(default=0)
    # How far the token server's clock is ahead of the one that last asked it, in seconds; None: not told yet.
    server_ahead = models.IntegerField(null=True)
    # Since when each attempt to renew it has failed; None: the last one did not.
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "key_id", "holder"], name="token_once")
        ]

    def __str__(self) -> str:
        return f"{self.environment} {self.key_id}"


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


class SeenCertificate(models.Model):
    """A client certificate that callers presented and that was let in; looked at about once an hour."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=200)
    issuer = models.CharField(max_length=300)
    expires_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint[:12]}"


class Heartbeat(models.Model):
    """`seen_at` by the database's clock: the latest of all workers."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at:%H:%M:%S}"
