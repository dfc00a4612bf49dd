"""Applications, how they prove who they are, and the requests that must not be carried out twice."""

import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from bars_portal.accounts.models import Organisation, User

USUAL_RATE = 600


class Application(models.Model):
    """A program of one organisation that calls the API.

    `account` stands for it wherever a person would be named: drafts, histories, messages and the trail.
    Nobody can sign in with it. Its username is the client id.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="applications")
    account = models.OneToOneField(User, on_delete=models.PROTECT, related_name="application", editable=False)
    name = models.CharField(max_length=100)
    # bars_portal.api.scopes.Scope, by value.
    scopes = ArrayField(models.CharField(max_length=30), default=list)
    # DoS service ids that it may search, book at and work for; empty: all that the organisation may.
    service_ids = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # Roles that it may state in X-Acting-User; empty: it never speaks for a person.
    roles = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    requests_a_minute = models.PositiveIntegerField(
        default=USUAL_RATE, validators=[MinValueValidator(1), MaxValueValidator(60_000)]
    )
    # Who answers for it.
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # For private_key_jwt: a JWK set, of public keys only.
    public_keys = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    # To the minute: not every request writes it.
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                name="application_name_once",
                violation_error_message="The organisation has an application of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def client_id(self) -> str:
        return self.account.username

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may_act_for(self, service_id: str) -> bool:
        return not self.service_ids or service_id in self.service_ids


class ApplicationSecret(models.Model):
    """One of at most two at a time, so that a new one can be rolled out while the old one still counts."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="secrets")
    # SHA-256: a secret is 256 random bits, nothing that could be guessed from a list.
    digest = models.CharField(max_length=64, unique=True)
    # Its last characters, by which people tell it from the other one.
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"secret ending in {self.hint}"


class ApiToken(models.Model):
    """An access token: the caller holds it, the database only its digest."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=30), default=list)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token of {self.application_id}"


class SpentAssertion(models.Model):
    """The jti of a signed assertion that was taken once: kept until it would be too old anyway."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "digest"], name="assertion_once")]

    def __str__(self) -> str:
        return f"assertion of {self.application_id}"


class ApplicationUsage(models.Model):
    """How many requests of a London day were answered within so many milliseconds (bars_portal.api.usage)."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    milliseconds = models.PositiveIntegerField()
    requests = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "day", "milliseconds"], name="usage_counted_once")
        ]
        indexes = [models.Index(fields=["day"], name="usage_by_day")]

    def __str__(self) -> str:
        return f"{self.requests} requests of {self.application_id} on {self.day}"


class KeyedRequest(models.Model):
    """A write under its Idempotency-Key, and its answer, for a day.

    It is under way while `lease_until` is ahead; carried out once `written_at` is set, which commits with
    what it wrote; answered once `answered_at` is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    # SHA-256 of verb, path, for whom, and body.
    fingerprint = models.CharField(max_length=64)
    begun_at = models.DateTimeField(db_index=True)
    holder = models.UUIDField()
    lease_until = models.DateTimeField()
    written_at = models.DateTimeField(null=True)
    # The id of what was written: from it the answer is made again when it was lost.
    subject_id = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # Encrypted: an answer may name a patient.
    sealed = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"request of {self.application_id}"
